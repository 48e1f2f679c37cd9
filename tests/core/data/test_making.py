"""A benchmark of one's own out of labelled files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from cdner_bench import Corpus, DataError, Entity, OptionError, Sentence, conll
from cdner_bench.data import SPLITS, Benchmark, audit, benchmark, making, readers
from cdner_bench.errors import CdnerError
from support import Run


def sentences(count: int, prefix: str = "w") -> list[Sentence]:
    return [Sentence(str(n), (f"{prefix}{n}", "rules"), (Entity(0, 1, "judge"),)) for n in range(count)]


def write(path: Path, made: list[Sentence]) -> Path:
    conll.write(path, made)
    return path


def make(
    mini: Benchmark, folder: Path, paths: Mapping[str, Path], sample: int | None = None, seed: int = 0
) -> Benchmark:
    files = {split: readers.read_file(path) for split, path in paths.items()}
    return benchmark.load(str(making.create("legal", files, mini, folder, sample, seed)))


def sizes(corpus: Corpus) -> tuple[int, ...]:
    return tuple(len(getattr(corpus, split)) for split in SPLITS)


@pytest.mark.parametrize(
    ("given", "sample", "expected"),
    [
        ((), None, (60, 20, 20)),
        ((), 10, (10, 45, 45)),
        ((), 98, (98, 1, 1)),
        (("dev",), None, (80, 7, 20)),
        (("test",), 30, (30, 70, 7)),
        (("dev", "test"), None, (100, 7, 7)),
        (("dev", "test"), 40, (40, 7, 7)),
    ],
)
def test_what_is_not_given_is_drawn(
    mini: Benchmark, tmp_path: Path, given: tuple[str, ...], sample: int | None, expected: tuple[int, ...]
) -> None:
    paths = {split: write(tmp_path / f"{split}.txt", sentences(7, split)) for split in given}
    paths["train"] = write(tmp_path / "all.txt", sentences(100))
    corpus = make(mini, tmp_path, paths, sample).corpus("legal")
    assert sizes(corpus) == expected
    assert corpus.types == ("judge",)
    parts = [[s.tokens for s in getattr(corpus, split)] for split in SPLITS]
    assert len({t for part in parts for t in part}) == sum(map(len, parts))  # in one split each


def test_a_seed_draws_the_same_and_another_something_else(mini: Benchmark, tmp_path: Path) -> None:
    train = write(tmp_path / "all.txt", sentences(50))
    made = [
        [s.tokens for s in make(mini, tmp_path / str(n), {"train": train}, seed=seed).corpus("legal").test]
        for n, seed in enumerate((0, 0, 1))
    ]
    assert made[0] == made[1] != made[2]


def test_what_is_no_seed_draws_nothing(typed: Run, tmp_path: Path) -> None:
    """Python draws for -1 what it draws for 1."""
    train = write(tmp_path / "all.txt", sentences(9))
    done = typed("data", "new", "legal", "--train", train, "--seed", "-1")
    assert done.returncode == 2
    assert "Invalid value for '--seed'" in done.stderr
    assert not (tmp_path / "legal").exists()


def test_a_sentence_that_stands_twice_is_in_one_split(mini: Benchmark, tmp_path: Path) -> None:
    corpus = make(mini, tmp_path, {"train": write(tmp_path / "all.txt", sentences(10) * 3)}).corpus("legal")
    assert sum(sizes(corpus)) == 30
    assert [remark for remark in audit.describe_splits(corpus) if "stand in" in remark] == []


@pytest.mark.parametrize("seed", range(5))
def test_no_split_is_empty_where_most_sentences_are_one(mini: Benchmark, tmp_path: Path, seed: int) -> None:
    """Eight times the same sentence, which fits into no part: each split has one of three groups all the same."""
    train = write(tmp_path / "all.txt", [*sentences(1) * 8, *sentences(2, "v")])
    corpus = make(mini, tmp_path, {"train": train}, seed=seed).corpus("legal")
    assert sorted(sizes(corpus)) == [1, 1, 8]
    pairs = write(tmp_path / "pairs.txt", sentences(20) * 2)
    assert min(sizes(make(mini, tmp_path / "pairs", {"train": pairs}, 1, seed).corpus("legal"))) > 0


def test_a_type_that_cannot_be_seen_is_refused(mini: Benchmark, tmp_path: Path) -> None:
    lines = [{"tokens": [f"w{n}"], "entities": [[0, 1, "judge\x7f"]]} for n in range(9)]
    (tmp_path / "all.jsonl").write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(DataError, match=r"all\.jsonl: a type is called 'judge\\x7f'"):
        make(mini, tmp_path, {"train": tmp_path / "all.jsonl"})
    assert not (tmp_path / "legal").exists()


def test_every_format_that_is_read_will_do(mini: Benchmark, tmp_path: Path) -> None:
    lines = [{"text": f"Ada{n} rules", "entities": [[0, 4 + (n > 9), "legal party"]]} for n in range(20)]
    (tmp_path / "train.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    (tmp_path / "test.ann").write_text("T1\tlegal party 0 3\tBob\n")
    (tmp_path / "test.txt").write_text("Bob ran\n")
    made = make(mini, tmp_path / "out", {"train": tmp_path / "train.jsonl.gz", "test": tmp_path / "test.ann"})
    corpus = made.corpus("legal")
    assert (corpus.types, sizes(corpus)) == (("legal party",), (16, 4, 1))
    assert corpus.test[0].entities == (Entity(0, 1, "legal party"),)
    assert {name: setting.sources for name, setting in made.settings.items()} == {
        "single": ("news",),
        "multi": ("news", "ai", "literature", "music", "politics", "science", "legal"),
    }


@pytest.mark.parametrize(
    ("name", "count", "sample", "message"),
    [
        ("ai", 9, None, "there is a domain or a benchmark 'ai' already"),
        ("crossner", 9, None, "there is a domain or a benchmark 'crossner' already"),
        ("a/b", 9, None, "a benchmark cannot be called 'a/b'"),
        ("Legal", 9, None, "a benchmark cannot be called 'Legal'"),
        ("legal.", 9, None, r"a benchmark cannot be called 'legal\.'"),
        ("nul", 9, None, "a benchmark cannot be called 'nul'"),
        ("taken", 9, None, "taken is there already"),
        ("legal", 9, 8, "--sample 8: it can be 1 to 7, of 9 sentences"),
        ("legal", 9, 0, "--sample 0: it can be 1 to 7"),
        ("legal", 2, None, "there are 2 different sentences: too few to draw dev and test from"),
    ],
)
def test_what_cannot_be_made_is_said_and_nothing_is_left(
    mini: Benchmark, tmp_path: Path, name: str, count: int, sample: int | None, message: str
) -> None:
    (tmp_path / "taken").mkdir()
    train = readers.read_file(write(tmp_path / "all.txt", sentences(count)))
    with pytest.raises(CdnerError, match=message):
        making.create(name, {"train": train}, mini, tmp_path, sample, 0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["all.txt", "taken"]


def test_types_that_differ_in_case_between_files_are_refused(mini: Benchmark, tmp_path: Path) -> None:
    test = [Sentence("0", ("Bob",), (Entity(0, 1, "Judge"),))]
    with pytest.raises(DataError, match="differ in case"):
        make(mini, tmp_path, {"train": write(tmp_path / "a", sentences(9)), "test": write(tmp_path / "b", test)})


JUDGES = [Sentence(f"j{n}", (f"Ada{n}",), (Entity(0, 1, "judge"),)) for n in range(5)]
LAW = Sentence("law", ("Code",), (Entity(0, 1, "law"),))


@pytest.mark.parametrize(
    ("train", "dev", "test", "remarks"),
    [
        (JUDGES, sentences(2, "d"), sentences(5, "t"), []),
        (JUDGES, sentences(5), sentences(5), ["dev and test are the same sentences"]),
        (JUDGES, sentences(2), sentences(5), ["2 of 5 test sentences stand in dev too"]),
        (sentences(5), sentences(1, "d"), sentences(6), ["5 of 6 test sentences stand in train too"]),
        (
            [*JUDGES, LAW],
            sentences(1, "d"),
            sentences(1, "t"),
            ["train has fewer than 5 mentions of law (1)", "test has fewer than 5 mentions of judge (1), law (0)"],
        ),
    ],
)
def test_what_makes_a_score_doubtful_is_said(
    train: list[Sentence], dev: list[Sentence], test: list[Sentence], remarks: list[str]
) -> None:
    types = sorted({e.type for s in (*train, *dev, *test) for e in s.entities})
    found = audit.describe_splits(Corpus("x", tuple(types), tuple(train), tuple(dev), tuple(test)))
    assert len(found) == len(remarks)
    assert all(said in line for said, line in zip(remarks, found, strict=True))


def test_a_shipped_domain_is_nobody_s_own(mini: Benchmark) -> None:
    assert audit.describe_own(mini, mini.domains) == []


def test_what_new_made_is_run_at_once(cli: Run, mini: Benchmark, tmp_path: Path) -> None:
    write(tmp_path / "my train.txt", list(mini.corpus("ai").test))
    made = cli(
        "data", "new", "legal", "--train", "my train.txt", "--sample", "20", "--extends", "mini", "--out", "my data"
    )
    assert made.returncode == 0, made.stderr
    remarks = [line for line in made.stdout.splitlines() if line.startswith("note: ")]
    assert any("legal: train has fewer than 5 mentions of " in remark for remark in remarks)
    assert "cdner-bench run --benchmark 'my data/legal.toml' --method gazetteer --setting single" in made.stdout
    done = cli("run", "--benchmark", "my data/legal.toml", "--method", "gazetteer", "--setting", "single")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("benchmark my data/legal.toml version")
    assert lines[1 : 1 + len(remarks)] == remarks
    assert "single/legal gazetteer seed 0: finished, F1 " in done.stdout
    assert cli("leaderboard").returncode == 1  # nothing that could be shown
    assert "wrote leaderboards/legal/single.md" in cli("leaderboard", "--benchmark", "my data/legal.toml").stdout
    missed = cli("leaderboard", "--benchmark", "mini")
    assert (missed.returncode, "there are no results of mini version" in missed.stderr) == (1, True)


def test_a_base_of_one_s_own_is_found_from_anywhere(mini: Benchmark, tmp_path: Path) -> None:
    train = write(tmp_path / "all.txt", sentences(9))
    make(mini, tmp_path, {"train": train})
    base = benchmark.load(str(tmp_path / "legal.toml"))
    path = making.create("more", {"train": readers.read_file(train)}, base, tmp_path / "elsewhere", None, 0)
    made = benchmark.load(str(path))
    assert made.list_scenarios("single")[0].sources == ("news",)
    assert "legal" in made.list_scenarios("multi")[0].sources
    with pytest.raises(OptionError, match="is there already"):
        making.create("more", {"train": readers.read_file(train)}, base, tmp_path / "elsewhere", None, 0)
