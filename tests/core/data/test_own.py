"""A target of one's own: a folder of files in any formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdner_bench import conll
from cdner_bench.data import Benchmark, audit, own
from cdner_bench.errors import CdnerError


@pytest.fixture
def folder(mini: Benchmark, tmp_path: Path) -> Path:
    """Train in columns, dev in JSON lines, test in an array: sentences of `ai`."""
    corpus, place = mini.corpus("ai"), tmp_path / "my contracts"
    place.mkdir()
    conll.write(place / "train.conll", corpus.train)
    lines = ({"tokens": s.tokens, "entities": [[e.start, e.end, e.type] for e in s.entities]} for s in corpus.dev)
    (place / "valid.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    tags = [{"tokens": s.tokens, "tags": conll.tags(s.entities, len(s.tokens))} for s in corpus.test]
    (place / "test.json").write_text(json.dumps(tags))
    return place


def test_a_folder_is_a_target(mini: Benchmark, folder: Path) -> None:
    data = own.build_on(mini, folder, ["news"])
    assert (data.name, list(data.settings)) == ("my-contracts", ["single"])
    (scenario,) = data.list_scenarios("single")
    assert (scenario.sources, scenario.target) == (("news",), "my-contracts")
    mine, theirs = data.corpus("my-contracts"), mini.corpus("ai")
    for split in ("train", "dev", "test"):
        assert [(s.tokens, s.entities) for s in getattr(mine, split)] == [
            (s.tokens, s.entities) for s in getattr(theirs, split)
        ]
    assert data.corpus("news") == mini.corpus("news")


def test_several_sources_are_the_setting_multi(mini: Benchmark, folder: Path) -> None:
    assert list(own.build_on(mini, folder, ["news", "ai"]).settings) == ["multi"]


def test_what_lies_beside_the_splits_is_taken(mini: Benchmark, folder: Path) -> None:
    (folder / "dapt.txt").write_text("Contracts bind.\n")
    assert list(own.build_on(mini, folder, ["news"]).corpus("my-contracts").resources) == ["dapt"]


def test_what_is_missing_or_double_is_said(mini: Benchmark, folder: Path, tmp_path: Path) -> None:
    def fails(place: Path, message: str, sources: tuple[str, ...] = ("news",)) -> None:
        with pytest.raises(CdnerError, match=message):
            own.build_on(mini, place, sources)

    fails(tmp_path / "gone", "there is no folder")
    fails(folder, "has no domain 'newz'", ("newz",))
    (folder / "train2.txt").write_text("x\tO\n")
    fails(folder, "several files for the train split: train.conll, train2.txt")
    (folder / "train2.txt").unlink()
    (folder / "valid.jsonl").unlink()
    fails(folder, "no file for the dev split")
    for name in ("ai", "crossner"):
        (tmp_path / name).mkdir()
        fails(tmp_path / name, f"there is a domain or a benchmark '{name}' already")


def test_sentences_that_are_too_long_are_told(mini: Benchmark, folder: Path) -> None:
    (folder / "train.conll").write_text("word\tO\n" * 3000)
    corpus = own.build_on(mini, folder, ["news"]).corpus("my-contracts")
    (remark,) = audit.describe_long(corpus)
    assert remark.startswith("my-contracts train: 1 of 1 sentences have more than 300 tokens, the longest 3,000")
    assert audit.describe_long(mini.corpus("ai")) == []
