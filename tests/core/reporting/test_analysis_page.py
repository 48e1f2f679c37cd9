"""The page of analyses from measurements made by hand, in every format, and what `leaderboard` does with it."""

from __future__ import annotations

import csv
import io
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from cdner_bench.papers import list_supplements
from cdner_bench.plugins import Measurement, Number, Plot
from cdner_bench.records import Measured, MethodFacts, measurements, results
from cdner_bench.reporting import FORMATS, HOLE, AnalysisPage, Table, write_number, write_rows
from samples import measured, run
from support import Run

STATS = Measurement(
    {"units": 1234, "tokens": 66882, "fail rate": None},
    parts={"task": {"explanations": 7, "fail rate": 0.25}, "field": {"explanations": 0}},
    notes=["no gold entities"],
)
UID = [measured(c, d, v) for c, d, v in (("gtok", "ai", 0.088), ("gtok+50", "ai", 0.0937), ("gtok", "music", 0.134))]


def stats(domain: str, measurement: Measurement = STATS) -> Measured:
    facts = MethodFacts("corpus-stats", "1", None, {})
    return replace(measured("gtok", domain), analysis=facts, measurement=measurement)


def page(*found: Measured, **results_: object) -> AnalysisPage:
    return AnalysisPage(found, supplements=list_supplements(), **results_)  # type: ignore[arg-type]


def table(made: AnalysisPage, title: str) -> Table:
    return {t.title: t for t in made.tables()}[title]


def test_numbers_stand_with_their_intervals() -> None:
    shown = table(page(*UID), "mini: uid")
    assert shown.headers == ["Domain", "Corpus", "variance"]
    assert write_rows(shown) == [
        ["ai", "gtok", "0.08800 [0.05000, 0.1500]"],
        ["ai", "gtok+50", "0.09370 [0.05000, 0.1500]"],
        ["music", "gtok", "0.1340 [0.05000, 0.1500]"],
    ]
    assert shown.note == "Options: unit=natural."
    assert list(shown.pictures) == ["figures/mini-uid-uid-by-length", "figures/mini-uid-uid-variance"]


def test_parts_have_a_table_of_their_own_and_holes_are_shown() -> None:
    made = page(stats("ai"), stats("music", replace(STATS, notes=[], parts={})))
    assert write_rows(table(made, "mini: corpus-stats"))[0] == ["ai", "gtok", "1,234", "66,882", HOLE]
    assert table(made, "mini: corpus-stats").note == "Options: none. gtok of ai: no gold entities"
    parts = table(made, "mini: corpus-stats, parts of gtok")
    assert parts.folded
    assert parts.headers == ["Domain", "Corpus", "Part", "explanations", "fail rate"]
    assert write_rows(parts) == [["ai", "gtok", "task", "7", "0.2500"], ["ai", "gtok", "field", "0", HOLE]]


def test_a_note_says_whom_it_is_about_unless_it_is_about_all() -> None:
    def noted(m: Measured, *notes: str) -> Measured:
        return replace(m, measurement=replace(m.measurement, notes=notes))

    few = [noted(m, "There are few tokens.") for m in UID]
    assert table(page(*few), "mini: uid").note == "Options: unit=natural. There are few tokens."
    assert table(page(UID[1], few[0], few[2]), "mini: uid").note.endswith(" gtok of ai, music: there are few tokens.")
    assert table(page(few[0], *UID[1:]), "mini: uid").note.endswith(" gtok of ai: there are few tokens.")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, HOLE),
        (0, "0"),
        (81740, "81,740"),
        (0.0, "0.000"),
        (81740.4, "81,740"),
        (1234.5, "1234"),
        (-0.5, "-0.5000"),
    ],
)
def test_numbers_for_reading(value: Number, shown: str) -> None:
    assert write_number(value) == shown


def test_rows_of_options_are_apart_and_named_by_what_differs() -> None:
    other = [
        measured("gtok", "ai", 0.3, unit="line", case="kept"),
        measured("gtok", "music", 0.2, unit="line", case="kept"),
    ]
    made = page(*UID, *other)
    titles = [t.title for t in made.tables()]
    assert titles[:2] == sorted(["mini: uid (unit=natural)", "mini: uid (unit=line, case=kept)"], key=titles.index)
    assert len(write_rows(table(made, "mini: uid (unit=line, case=kept)"))) == 2
    for picture in table(made, "mini: uid (unit=natural)").pictures:
        assert picture.endswith(UID[0].analysis.row)


def test_seeds_are_told_apart() -> None:
    shown = table(page(UID[0], measured("gtok", "ai", 0.2, seed=1)), "mini: uid")
    assert [row[:3] for row in write_rows(shown)] == [["ai", "gtok", "0"], ["ai", "gtok", "1"]]
    assert shown.note.endswith("Pictures show the lowest seed.")


def test_measurements_of_different_code_are_marked() -> None:
    newer = replace(UID[2], analysis=replace(UID[2].analysis, revision="2"))
    assert "different revisions" in table(page(UID[0], newer), "mini: uid").note


def test_the_paper_s_variances_stand_beside_the_measured_ones() -> None:
    mixed = [*UID, measured("gtok+50-sentences", "ai", 0.112)]
    found = [replace(m, corpus=replace(m.corpus, benchmark="crossner")) for m in mixed]
    made = page(*found)
    rows = write_rows(table(made, "crossner: UID variance, printed and measured"))
    assert ["Table 7", "ai", "gtok+50-sentences", "71.14", "0.11", "0.1120 [0.05000, 0.1500]"] in rows
    assert ["Table 7", "music", "gtok+200-sentences", "77.11", "0.18", HOLE] in rows
    assert ["Tables 2 and 5", "ai", "dapt", "70.89", "0.75", HOLE] in rows
    printed = table(made, "crossner: hypothesis 3.2, as the TOPT paper reports")
    assert [row[0] for row in write_rows(printed)] == ["Tables 2 and 5"] * 2 + ["Table 7"] * 2
    nothing = table(made, "crossner: hypothesis 3.2, measured")
    assert write_rows(nothing) == [[*[HOLE] * 7, "0", HOLE, HOLE, "no pair"]]


def test_the_hypothesis_is_tested_on_what_was_measured() -> None:
    found = [measured(f"gtok+{n}" if n else "gtok", d, n / 999 + 0.1) for d in ("ai", "music") for n in (0, 50, 100)]
    runs = [run(60 - n // 5, d, gtok_mix=n) for d in ("ai", "music") for n in (0, 50, 100)]
    made = page(*found, results=runs)
    name = ["uid", "single", "topt", "b", "quick", "the whole corpus"]
    assert write_rows(table(made, "mini: hypothesis 3.2, measured")) == [
        [*name, "all pairs", "6", "-1.00", "0.0222", "as predicted; no interval: the order is perfect"],
        [*name, "within domains", "6", "-1.00", "0.0556", "undecided; no interval: the order is perfect"],
    ]
    pairs = write_rows(table(made, "mini: pairs behind the test"))
    assert pairs[1] == [*name, "ai", "gtok+50", "50.00", "0.1501"]
    rho = [r for r in made.records() if r["number"] == "rho"]
    assert [(r["part"], r["value"], r["options"]["method"]) for r in rho] == [
        ("all pairs", -1, "topt"),
        ("within domains", -1, "topt"),
    ]


def test_without_uid_there_is_no_hypothesis() -> None:
    assert [t.title for t in page(stats("ai")).tables()] == [
        "mini: corpus-stats",
        "mini: corpus-stats, parts of gtok",
    ]


@pytest.mark.parametrize("format_", FORMATS)
def test_the_page_depends_on_the_files_only(format_: str) -> None:
    found = [*UID, stats("ai"), stats("music"), measured("gtok", "ai", 0.2, unit="line")]
    shuffled = random.Random(1).sample(found, len(found))
    runs = [run(60), run(50, "music")]
    text = FORMATS[format_](page(*found, results=runs))
    assert text == FORMATS[format_](page(*shuffled, results=runs[::-1]))
    assert "gtok" in text


def test_names_and_notes_cannot_break_the_page() -> None:
    odd = Measurement({"a|b": 1}, parts={"<i>|": {"n": 1}}, notes=["a <script>\nalert()"], plots=[])
    plotted = replace(odd, plots=[Plot('x"><script>', "bars", "a|b", 'y"><script>')])
    corpus = replace(UID[0].corpus, name="c|<script>\n.txt", domain=None, benchmark=None)
    found = replace(UID[0], corpus=corpus, measurement=plotted)
    for format_ in ("md", "html"):
        text = FORMATS[format_](page(found))
        assert "<script" not in text
        assert 'figures/texts-uid-x___script_.svg"' in text
    shown = FORMATS["md"](page(found)).splitlines()
    rows = [line for line in shown if line.startswith("|") and "c\\|&lt;script> .txt" in line]
    assert [row.count(" | ") for row in rows] == [2, 3]
    assert sum("alert()" in line for line in shown) == 1
    assert "\n% texts: uid" in "\n" + FORMATS["latex"](page(found))


def test_csv_and_json_carry_every_number_unrounded() -> None:
    made = page(stats("ai"), *UID)
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](made))))
    records = json.loads(FORMATS["json"](made))
    assert len(rows) == len(records) == 3 + 3 + 3 * 3
    assert {(r["part"], r["number"], r["value"]) for r in rows if r["analysis"] == "corpus-stats"} == {
        ("", "units", "1234"), ("", "tokens", "66882"), ("", "fail rate", ""),
        ("task", "explanations", "7"), ("task", "fail rate", "0.25"), ("field", "explanations", "0"),
    }  # fmt: skip


# --- the command -----------------------------------------------------------------------------------------------------


def put(folder: Path, *found: Measured) -> Path:
    place = folder / "leaderboards"
    for m in found:
        measurements.save(m, place / "measurements" / m.path)
    return place


@pytest.mark.slow
def test_the_page_and_its_pictures_are_written_and_checked(typed: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    place = put(tmp_path, *UID)
    results.save(run(60), place / "results" / run(60).path)
    assert typed("leaderboard", "--check").returncode == 1
    done = typed("leaderboard")
    assert done.returncode == 0, done.stderr
    names = [f"mini-uid-{plot}.{kind}" for plot in ("uid-by-length", "uid-variance") for kind in ("csv", "png", "svg")]
    assert sorted(p.name for p in (place / "figures").iterdir()) == sorted(names)
    assert "## mini: uid" in (place / "analysis.md").read_text()
    for arguments in ((), ("--benchmark", "mini")):
        assert typed("leaderboard", "--check", *arguments).returncode == 0
    before = (place / "figures" / "mini-uid-uid-variance.svg").stat().st_mtime_ns
    assert "svg" not in typed("leaderboard").stdout
    assert (place / "figures" / "mini-uid-uid-variance.svg").stat().st_mtime_ns == before
    for format_ in ("csv", "latex", "html", "json"):
        assert typed("leaderboard", "--format", format_).returncode == 0
        assert typed("leaderboard", "--check", "--format", format_).returncode == 0

    put(tmp_path, measured("gtok", "ai", 0.5))
    lines = [line for line in typed("leaderboard", "--check").stdout.splitlines() if " is fine: " not in line]
    stale = ["analysis.md", "figures/mini-uid-uid-variance.csv", "figures/mini-uid-uid-variance.svg"]
    assert [line.split()[0] for line in lines] == [f"leaderboards/{name}" for name in stale]
    assert typed("leaderboard").returncode == 0
    (place / "figures" / "old.svg").write_text("<svg/>")
    (place / "figures" / "mini-uid-uid-by-length.png").unlink()
    lines = [line for line in typed("leaderboard", "--check").stdout.splitlines() if " is fine: " not in line]
    assert [line.split(";")[0] for line in lines] == [
        "leaderboards/figures/mini-uid-uid-by-length.svg is not what the result files say",
        "leaderboards/figures/old.svg is left over",
    ]


def test_a_page_without_measurements_is_left_over(typed: Run, tmp_path: Path) -> None:
    place = tmp_path / "leaderboards"
    results.save(run(60), place / "results" / run(60).path)
    assert typed("leaderboard").returncode == 0
    assert not (place / "analysis.md").exists()
    assert typed("leaderboard", "--check").returncode == 0
    (place / "analysis.md").write_text("of old")
    done = typed("leaderboard", "--check")
    assert (done.returncode, done.stdout.strip()) == (
        1,
        "leaderboards/analysis.md is left over; type: rm leaderboards/analysis.md",
    )


def test_without_matplotlib_pages_and_numbers_are_written(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "matplotlib.py").write_text("raise ImportError")
    place = put(tmp_path, *UID)
    import os

    hidden = {"PYTHONPATH": os.pathsep.join([str(tmp_path / "hidden"), os.environ.get("PYTHONPATH", "")])}
    done = cli("leaderboard", **hidden)
    assert done.returncode == 0, done.stderr
    assert "pictures in leaderboards/figures stay as they are: " in done.stdout
    assert "pip install 'cdner-bench[density]'" in done.stdout
    assert sorted(p.suffix for p in (place / "figures").iterdir()) == [".csv", ".csv"]
    checked = cli("leaderboard", "--check", **hidden)
    assert checked.returncode == 1
    assert [line.split()[0][-4:] for line in checked.stdout.splitlines()] == [".svg", ".svg"]
