from __future__ import annotations

from pathlib import Path

import pytest

from cdner_bench import plugins
from cdner_bench.data import Benchmark, benchmark
from cdner_bench.errors import DataError, OptionError
from cdner_bench.running import campaign
from support import ROOT, Run

TEXT = """
benchmark = "mini"
preset = "quick"

[[rows]]
method = "bert-tagger"
settings = ["single"]
seeds = 2
options = { "target.epochs" = 3 }

[[rows]]
method = "topt"
settings = ["multi"]
"""


def test_first_seeds_come_first(tmp_path: Path, mini: Benchmark) -> None:
    path = tmp_path / "c.toml"
    path.write_text(TEXT)
    jobs = list(campaign.read(path).jobs(mini, plugins.discover()))
    assert [(j.entry.spec.name, j.scenario.setting, j.seed) for j in jobs] == [
        *[("bert-tagger", "single", 0)] * 5, *[("topt", "multi", 0)] * 5, *[("bert-tagger", "single", 1)] * 5,
    ]  # fmt: skip
    assert jobs[0].options.target.epochs == 3


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("seeds = 2", "seeds = 0", "row 1: seeds cannot be 0"),
        ("seeds = 2", "sedes = 2", "unknown key row 1: sedes"),
        ('method = "topt"', "", "row 2: method is missing"),
        ('preset = "quick"', "", "preset is missing"),
        ("[[rows]]", "rows", "is not TOML"),
        ("[[rows]]", "[[row]]", "unknown key row"),
        (TEXT[TEXT.index("[[rows]]") :], "", "rows is missing"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, before: str, after: str, said: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(TEXT.replace(before, after))
    with pytest.raises(DataError, match=said):
        campaign.read(path)


def test_rows_that_are_no_tables_are_told_how_to_begin(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("benchmark = 'mini'\npreset = 'quick'\nrows = 3\n")
    with pytest.raises(DataError, match="rows is no array of tables") as caught:
        campaign.read(path)
    assert caught.value.hint == "begin each with [[rows]]"


@pytest.mark.parametrize(
    ("place", "fits"),
    [("{data}/answers", True), ("answers", True), ("/elsewhere", False), ("../x", False), ("link", False)],
)
def test_a_campaign_writes_nowhere_else(
    place: str, fits: bool, tmp_path: Path, mini: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("CDNER_DATA", str(tmp_path / "data"))
    path = tmp_path / "c.toml"
    row = f"[[rows]]\nmethod = 'gpt4'\nsettings = ['single']\noptions = {{ store = '{place}' }}\n"
    path.write_text(f"benchmark = 'mini'\npreset = 'quick'\n{row}")
    jobs = campaign.read(path).jobs(mini, plugins.discover())
    if fits:
        assert next(jobs).options.store
    else:
        with pytest.raises(OptionError, match=r"a campaign names no place to write to .*: store="):
            next(jobs)


def test_a_folder_of_the_data_can_be_named(tmp_path: Path, mini: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDNER_DATA", str(tmp_path))
    (tmp_path / "gtok").mkdir()
    path = tmp_path / "c.toml"
    path.write_text(TEXT + 'options = { "mslm.gtok_folder" = "{data}/gtok" }\n')
    assert list(campaign.read(path).jobs(mini, plugins.discover()))[-6].options.mslm.gtok_folder == tmp_path / "gtok"


def test_the_shipped_campaigns_can_be_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDNER_DATA", str(tmp_path))
    (tmp_path / "gtok").mkdir()
    for path in (ROOT / "benchmarks" / "campaigns").glob("*.toml"):
        asked = campaign.read(path)
        assert list(asked.jobs(benchmark.load(asked.benchmark), plugins.discover()))


def test_what_is_asked_for_twice_is_made_once(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(f"{TEXT}\n{TEXT[TEXT.index('[[rows]]') :]}")
    twice, once = campaign.read(tmp_path / "c.toml"), tmp_path / "once.toml"
    once.write_text(TEXT)
    found = [list(c.jobs(benchmark.load("mini"), plugins.discover())) for c in (twice, campaign.read(once))]
    assert [str(job) for job in found[0]] == [str(job) for job in found[1]]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('seeds = "3"', "write: seeds = 1"),
        ("seeds = 0", "write how many: 1 to 1000"),
        ('settings = "single"', 'write: settings = ["…"]'),
        ("settings = []", 'write: settings = ["…"]'),
        ('options = "a=1"', 'write: options = { name = "…" }'),
    ],
)
def test_a_mistake_in_a_row_is_answered_with_what_can_be(line: str, hint: str, tmp_path: Path) -> None:
    key = line.partition(" ")[0]
    kept = [other for other in ('method = "gazetteer"', 'settings = ["single"]') if not other.startswith(key)]
    text = "\n".join(['\ufeffbenchmark = "mini"', 'preset = "quick"', "[[rows]]", *kept, line])
    (tmp_path / "c.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as told:
        campaign.read(tmp_path / "c.toml")
    assert told.value.hint == hint


@pytest.mark.parametrize(
    ("said", "instead", "wrong", "hint"),
    [
        ('"bert-tagger"', '"bert-tager"', "unknown method 'bert-tager'", "did you mean 'bert-tagger'?"),
        ('"multi"', '"mutli"', "mini has no setting 'mutli'", "did you mean 'multi'?"),
        (
            'epochs" = 1',
            'epoch" = 1',
            "method bert-tagger has no option 'source.epoch'",
            "did you mean 'source.epochs'?",
        ),
        ('epochs" = 1', 'epochs" = "x"', "method bert-tagger: option source.epochs=x: input should be", "type: "),
    ],
)
def test_what_a_row_asks_for_in_vain_is_told_with_the_row(
    said: str, instead: str, wrong: str, hint: str, tmp_path: Path
) -> None:
    rows = """
        [[rows]]
        method = "gazetteer"
        settings = ["single"]

        [[rows]]
        method = "bert-tagger"
        settings = ["single", "multi"]
        options = { "source.epochs" = 1 }
    """
    (tmp_path / "c.toml").write_text(f'benchmark = "mini"\npreset = "quick"\n{rows.replace(said, instead)}')
    with pytest.raises(OptionError) as told:
        list(campaign.read(tmp_path / "c.toml").jobs(benchmark.load("mini"), plugins.discover()))
    assert str(told.value).startswith(f"row 2: {wrong}")
    assert str(told.value.hint).startswith(hint)


def test_a_campaign_takes_no_method_beside_it(typed: Run, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(TEXT)
    for beside in (("--method", "topt"), ("--seeds", "3"), ("--benchmark", "mini"), ("--preset", "cpu")):
        done = typed("run", "--campaign", str(tmp_path / "c.toml"), *beside)
        assert done.returncode
        assert "a campaign names its own benchmark" in done.stderr
    assert "this needs a --setting" in typed("run", "--method", "topt").stderr
