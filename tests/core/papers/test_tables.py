"""The paper's tables in its layout: reported and measured apart, holes with the command that fills them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from cdner_bench import Counts, Doubt, Scenario
from cdner_bench.data import Benchmark
from cdner_bench.errors import DataError
from cdner_bench.papers import WRITERS, lay_out, load
from cdner_bench.papers.tables import PaperTable
from cdner_bench.plugins import Method, ModelFacts, discover, options
from cdner_bench.records import BenchmarkFacts, MethodFacts, Result
from cdner_bench.reporting import Fixed, write_cell
from samples import RESULT, measured
from support import Run as Command

REGISTRY = discover()


def result(
    crossner: Benchmark, target: str, tp: int, *, preset: str = "cpu", backbone: str = "tiny", seed: int = 0,
    method: str = "topt", corpus: str | None = "gtok", doubts: tuple[Doubt, ...] = (),
    changed: Mapping[str, int] = MappingProxyType({}),
) -> Result:  # fmt: skip
    facts = MethodFacts(method, "1", preset, {"backbone": backbone, **changed}, backbone)
    return replace(
        RESULT,
        benchmark=BenchmarkFacts("crossner", crossner.version, "00"),
        scenario=Scenario("single", ("conll2003",), target),
        method=facts,
        model=ModelFacts(backbone, 10, 20, "fp32"),
        departures=tuple(changed),
        scores={"span-f1": {"task": Counts(tp, 100 - tp, 100 - tp)}},
        sentences=[],
        learnt_from=corpus,
        seed=seed,
        doubts=doubts,
    )


def get(tables: list[PaperTable], number: str) -> PaperTable:
    (table,) = [table for table in tables if table.number == number]
    return table


def test_every_printed_score_is_there_in_the_order_of_the_paper(crossner: Benchmark) -> None:
    tables = lay_out(load("topt"), crossner, [], [])
    assert [table.number for table in tables] == ["2", "4", "6", "7", "9", "10"]
    printed = {
        (table.number, line.setting, line.label): [write_cell(line.cells[key]) for key in table.columns]
        for table in tables
        for line in table.lines
        if line.what == "reported"
    }
    assert len(printed) == 10 + 6 + 2 + 4 + 2 + 4
    assert printed["2", "single", "TOPT"] == ["72.34", "77.85", "82.03", "81.55", "80.16", "78.78"]
    assert printed["6", "single", "Vicuna-7b"] == ["70.83", "0.092", "81.67", "0.138"]
    assert printed["6", "single", "Llama-2-7b"] == ["70.89", "0.088", "82.03", "0.134"]
    assert printed["7", "single", "200"] == ["69.70", "0.15", "77.11", "0.18"]
    assert printed["9", "single", "BERT + GTOK"] == ["41.39", "47.06"]
    assert printed["10", "multi", "TOPT"] == ["73.50", "79.86", "83.63", "85.87", "81.09", "80.79"]
    assert [line.label for line in get(tables, "10").lines if line.label] == ["TOPT", "Llama-2-7B QLoRA"] * 2
    assert all(
        line.what == "reported" or "not run" in map(write_cell, line.cells.values()) for t in tables for line in t.lines
    )


def test_every_hole_has_one_command_and_each_can_be_typed(crossner: Benchmark) -> None:
    paper = load("topt")
    for table in lay_out(paper, crossner, [], []):
        reported = [line for line in table.lines if line.what == "reported"]
        assert len(table.holes) == len(reported), table.number
        for hole in table.holes:
            if hole.endswith("no method here makes it"):
                continue
            words = shlex.split(hole[hole.index("cdner-bench run") :])[2:]
            given = dict(zip(words[::2], words[1::2], strict=True))
            assert crossner.list_scenarios(given["--setting"], given["--target"].split(","))
            spec = REGISTRY.get(given["--method"]).spec
            assert given["--preset"] in spec.presets
            settings = [words[n + 1] for n, word in enumerate(words) if word == "-o"]
            known = options.as_dict(spec.resolve(None, {}))
            assert {assignment.partition("=")[0] for assignment in settings} <= known.keys()
            assert spec.load(Method)
    assert {made["method"] for made in paper.made.values()} <= {entry.spec.name for entry in REGISTRY}


def test_what_was_measured_stands_under_its_row_and_the_name_of_its_backbone(crossner: Benchmark) -> None:
    small = [result(crossner, target, 40 + seed, seed=seed) for target in ("ai", "music") for seed in (0, 1)]
    mixed = [result(crossner, "ai", 30, corpus="gtok+50-sentences", changed={"mix": 50})]
    other = [
        result(crossner, "ai", 20, corpus=None, changed={"mix": 1}),
        result(crossner, "ai", 1, backbone="odd", doubts=(Doubt.NO_STEP,)),
    ]
    tables = lay_out(load("topt"), crossner, [*small, *mixed, *other], [])
    rows = {line.what: line for line in get(tables, "2").lines if line.measured}
    assert set(rows) >= {
        "measured: tiny, preset cpu, 2 seeds",
        "measured: odd, preset cpu, 1 seed, doubtful: no gradient step was done",
        "Flan-T5-base, preset paper",
    }
    assert not any("mix" in what for what in rows)  # what learnt from something else is no row of this table
    assert write_cell(rows["measured: tiny, preset cpu, 2 seeds"].cells["ai"]) == "40.50 ± 0.71"
    assert write_cell(rows["measured: tiny, preset cpu, 2 seeds"].cells["average"]) == "–"
    assert any("--method topt --preset paper" in hole for hole in get(tables, "2").holes)
    seventh = [line.what for line in get(tables, "7").lines if line.measured]
    assert "measured: tiny, preset cpu (mix=50), 1 seed" in seventh


def test_a_row_at_the_papers_scale_fills_its_hole_domain_by_domain(crossner: Benchmark) -> None:
    def holes(*targets: str, changed: Mapping[str, int] = MappingProxyType({})) -> list[str]:
        runs = [
            result(crossner, t, 70, preset="paper", backbone="google/flan-t5-base", changed=changed) for t in targets
        ]
        tables = lay_out(load("topt"), crossner, runs, [])
        return [hole for hole in get(tables, "2").holes if hole.startswith("TOPT, ")]

    every = list(crossner.setting("single").targets)
    assert holes(*every) == []
    (hole,) = holes("ai", "science")
    assert hole.endswith("--target literature,music,politics")
    (hole,) = holes(*every, changed={"target.epochs": 1})  # not what the paper did
    assert hole.endswith("--target ai,literature,music,politics,science")


def test_variance_is_measured_beside_the_printed_one(crossner: Benchmark) -> None:
    found = [
        replace(m, corpus=replace(m.corpus, benchmark="crossner", version=crossner.version))
        for m in (
            measured("gtok", "ai", 0.0880),
            measured("gtok", "music", 0.1),
            measured("gtok", "music", 0.2, unit="x"),
        )
    ]
    tables = lay_out(load("topt"), crossner, [result(crossner, "ai", 40)], found)
    (line,) = [line for line in get(tables, "6").lines if line.what.startswith("measured")]
    assert line.cells["ai variance"] == Fixed(0.088, 3)
    assert "music variance" not in line.cells  # measured in two ways


@pytest.mark.parametrize(("name", "bold"), [("md", "**{}**"), ("latex", "\\textbf{{{}}}")])
def test_the_best_is_bold_among_its_like_and_texts_are_escaped(crossner: Benchmark, name: str, bold: str) -> None:
    runs = [result(crossner, "ai", 40), result(crossner, "ai", 30, backbone="a_b|c&%\\x")]
    text = WRITERS[name](lay_out(load("topt"), crossner, runs, []))
    assert bold.format("72.34") in text
    assert bold.format("78.78") in text
    assert bold.format("40.00") in text
    assert bold.format("30.00") not in text
    assert bold.format("67.95") not in text
    assert "a_b|c&%" not in text
    if name == "latex":
        assert text.count("\\toprule") == text.count("\\bottomrule") == text.count("\\begin{tabular}") == 6
        for block in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end", text, re.DOTALL):
            rows = [line for line in block[1].splitlines() if line.endswith("\\\\")]
            assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(block[0])}


def test_tables_of_a_paper_are_checked_when_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    about = 'title = "T"\ncalled = "mine"\n'
    (tmp_path / "mine" / "table-1.toml").write_text('table = "1"\nbenchmark = "mini"\n')
    for wrong, said in (
        ('[[made]]\nreported = "X"\nmethod = "m"\n', "made.model is missing"),
        ('[[made]]\nreported = "X"\nmethod = "m"\nmodel = "M"\nneed = "y"\n', "unknown key made.need"),
        ("released = [1]\n", "released cannot be"),
    ):
        (tmp_path / "mine" / "paper.toml").write_text(about + wrong)
        with pytest.raises(DataError, match=re.escape(said)):
            load("mine", tmp_path)
    (tmp_path / "mine" / "paper.toml").write_text(about)
    (tmp_path / "mine" / "table-1.toml").write_text('table = "1"\nbenchmark = "mini"\n[[lines]]\nlabel = "a"\n')
    with pytest.raises(DataError, match=re.escape("lines.method is missing")):
        load("mine", tmp_path)


def test_the_command_lays_them_out_and_says_what_to_type(typed: Command) -> None:
    shown = typed("paper", "tables")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "not run: TOPT, single: cdner-bench run --benchmark crossner --method topt --preset paper" in shown.stdout
    for arguments, said in (
        (["--format", "md2"], "did you mean 'md'?"),
        (["--paper", "topp"], "did you mean 'topt'?"),
        (["--out", "gone"], "there is no folder gone"),
    ):
        refused = typed("paper", "tables", *arguments)
        assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
