"""What records of older schemas say today: the revision, what they may be ranked with, what they learnt from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cdner_bench import Doubt, Scenario, digest
from cdner_bench.data import benchmark
from cdner_bench.records import Result, describe_comparable, results

SCENARIO = Scenario("single", ("news",), "ai")
FILES = {d: domain.resources.get("gtok") for d, domain in benchmark.load("mini").domains.items()}
OWN = f"any ({digest({f'{d}.json': file.sha256 for d, file in FILES.items() if file})[:12]})"


def lifted(folder: Path, *, plugin: str = "topt", data: str = "00", **options: object) -> Result:
    """A record of schema 2, as today's code reads it."""
    record: dict[str, Any] = json.loads((Path(__file__).parent / "history" / "schema-2.json").read_text())
    record["benchmark"] |= {"data": data, "version": benchmark.load("mini").version}
    record["scenario"] = {"setting": "single", "sources": ["news"], "target": "ai"}
    record["sentences"] += " 0/0/0" * 130  # as many as the target has
    record["method"] |= {"plugin": plugin, "version": "0.1.0+01234567", "options": options}
    path = folder / "r.json"
    path.write_text(json.dumps(record))
    return results.load(path)


def test_code_becomes_provenance_and_revision_1_of_the_project_s_methods(tmp_path: Path) -> None:
    ours, theirs = lifted(tmp_path), lifted(tmp_path, plugin="somebody-s")
    assert (ours.method.revision, theirs.method.revision) == ("1", "code 01234567")
    assert ours.provenance["plugin"] == {"name": "topt", "release": "0.1.0", "origin": "unknown", "code": "01234567"}
    assert lifted(tmp_path, backbone="minit5").method.backbone == "minit5"


@pytest.mark.parametrize("resources", [(), ("gtok",)])
def test_what_it_may_be_ranked_with_is_told_from_the_pinned_hashes(tmp_path: Path, resources: tuple[str, ...]) -> None:
    mini = benchmark.load("mini")
    today = describe_comparable(mini, SCENARIO)
    assert lifted(tmp_path, data=mini.fingerprint(SCENARIO, resources)).comparable == today
    assert lifted(tmp_path, data=digest(mini.pinned_hashes(SCENARIO, resources))).comparable == today
    unknown = lifted(tmp_path, data="other files").comparable
    assert unknown is not None
    assert (unknown.data, unknown.types, unknown.sentences) == ("other files", (), (0, 0, 132))


def test_what_a_run_learnt_from(tmp_path: Path) -> None:
    def learnt(**options: object) -> str | None:
        return lifted(tmp_path, **{"pretraining": "gtok"} | options).learnt_from  # type: ignore[arg-type]

    assert learnt() == learnt(gtok_mix=0, gtok=None) == "gtok"
    assert learnt(gtok_mix=50, gtok_folder=OWN) == "gtok+50"
    assert learnt(gtok_mix=50, gtok_folder="gtok (0123456789ab)") is None  # somebody's own
    assert learnt(gtok_mix=50, gtok_folder=OWN, gtok_mix_unit="sentences") == "gtok+50-sentences"
    others: list[dict[str, Any]] = [{"pretraining": "none"}, {"pretraining": "dapt"}, {"gtok": "00"}]
    for options in [*others, {"cumulative_gtok": True}]:
        assert learnt(**options) is None


@pytest.mark.parametrize(
    ("counts", "doubts"),
    [
        ({"task": "1/9/9", "misc": "0/0/3"}, []),
        ({"task": "0/9/9"}, [Doubt.NOTHING_RIGHT]),
        ({"task": "0/0/9", "misc": "0/2/0"}, [Doubt.NOTHING_RIGHT]),
        ({"task": "0/0/9"}, [Doubt.NOTHING_SAID]),
        ({"task": "0/9/0"}, []),
        ({}, []),
    ],
)
def test_doubts_that_counts_alone_give_rise_to(tmp_path: Path, counts: dict[str, str], doubts: list[Doubt]) -> None:
    record = json.loads((Path(__file__).parent / "history" / "schema-4.json").read_text())
    record["scores"]["span-f1"] = counts
    record["sentences"] = " ".join([*counts.values(), "0/0/0", "0/0/0"])
    (tmp_path / "r.json").write_text(json.dumps(record))
    assert results.load(tmp_path / "r.json").doubts == doubts
