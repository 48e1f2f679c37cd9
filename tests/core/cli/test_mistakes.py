"""What a mistake looks like: one or two lines, the last of which holds what to type; a non-zero exit, no traceback."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from cdner_bench.cli import main
from support import ROOT, Run

METHODS = ROOT / "tests" / "methods.py"
MINI = ["--benchmark", "mini"]
RUN = ["run", "--method", "oracle-of-case", "--setting", "single", *MINI, "--plugin", METHODS]
GAZETTEER = ["run", "--method", "gazetteer", "--setting", "single", *MINI]

NAMES = [
    (["run", "--method", "bert-tager", *RUN[3:]], "unknown method 'bert-tager'", "did you mean 'bert-tagger'?"),
    (["run", "--method", "TOPT", *RUN[3:]], "unknown method 'TOPT'", "did you mean 'topt'?"),
    ([*RUN[:4], "singel", *RUN[5:]], "mini has no setting 'singel'", "did you mean 'single'?"),
    ([*RUN[:4], "single,multi", *RUN[5:]], "has no setting 'single,multi'", "one at a time: type the command for each"),
    ([*RUN, "--target", "musik"], "mini has no target 'musik'", "did you mean 'music'?"),
    ([*RUN, "--target", "news"], "mini has no target 'news'", "choose from: ai, literature"),
    ([*RUN, "--preset", "quik"], "method oracle-of-case has no preset 'quik'", "did you mean 'quick'?"),
    ([*RUN, "--benchmark", "minni"], "unknown benchmark 'minni'", "did you mean 'mini'?"),
    ([*RUN, "--benchmark", "Crossner"], "unknown benchmark 'Crossner'", "did you mean 'crossner'?"),
    ([*RUN, "--benchmark", "minni-limit20"], "unknown benchmark 'minni'", "did you mean 'mini'?"),
    ([*RUN, "--no-plugin", "tager"], "--no-plugin tager: there is no such plugin", "did you mean 'tagger'?"),
    (["analyze", "--analysis", "uidd", "--corpus", "gtok"], "unknown analysis 'uidd'", "did you mean 'uid'?"),
    (["analyze", "--analysis", "uid", "--corpus", "gtokk"], "there is no corpus 'gtokk'", "did you mean 'gtok'?"),
    (["leaderboard", "--format", "mdd"], "unknown format 'mdd'", "did you mean 'md'?"),
    (["models", "fetch", "minlm"], "unknown model 'minlm'", "did you mean 'minilm'?"),
    (["plugin", "check", "nothing"], "unknown method 'nothing'", "choose from: "),
    (["list", "gazeteer"], "there is no method or analysis 'gazeteer'", "did you mean 'gazetteer'?"),
    (["plugin", "new", "topt"], "there is a method 'topt' already", "choose another name"),
    (["plugin", "new", "My_Method"], "'My_Method' cannot be a method's name", "type: cdner-bench plugin new my-method"),
]
OPTIONS = [
    ([*RUN, "-o", "lenght=3"], "method oracle-of-case has no option 'lenght'", "did you mean 'length'?"),
    ([*GAZETTEER, "-o", "gazeteer.folded=true"], "has no option 'gazeteer.folded'", "did you mean 'folded'?"),
    ([*RUN, "-o", "length=x"], "option length=x: input should be a valid integer", "cdner-bench list oracle-of-case"),
    ([*GAZETTEER, "-o", "folded=maybe"], "option folded=maybe: input should be", "type: cdner-bench list gazetteer"),
    ([*RUN, "-o", "length"], "'length' is no option", "write -o name=value"),
    ([*RUN, "--target", ""], "--target names nothing", "write --target NAME"),
    (["run", "--method", ",", *RUN[3:]], "--method names nothing", "write --method NAME"),
    ([*RUN, "--method", "gazetteer"], "--method is given twice", "write all names behind one, with commas: --method"),
    (["leaderboard", "--columns", "ai", "--columns", "avg"], "--columns is given twice", "with commas: --columns A,B"),
    ([*RUN, "--setting", "multi"], "--setting is given twice", "type the command for each"),
    ([*RUN, "--seeds", "x"], "--seeds x: not a number of seeds", "write --seeds 3"),
    ([*RUN, "--seeds", "0"], "--seeds 0: not a number of seeds", "write --seeds 3"),
    ([*RUN, "--seeds", "1,-2"], "--seeds 1,-2: not a number of seeds", "write --seeds 3"),
    ([*RUN, "--seeds", "20240101"], "that many seeds; there are at most 1000", "with a comma: --seeds 20240101,"),
    ([*RUN, "--seeds", "0,4294967296"], "4294967296 is no seed", "a number from 0 to 4294967295"),
    ([*RUN, "--source", "news"], "--source news: this is for --target-data", "leave it out"),
    ([*RUN, "--limit", "0"], "--limit 0: a trial has one sentence at least", "write --limit 20"),
    ([*RUN, "--benchmark", "mini-limit5", "--limit", "5"], "mini-limit5 has at most 5 sentences", "leave out --limit"),
    (["run", "--setting", "single"], "this needs a --method", "cdner-bench run --method bert-tagger --setting single"),
    (["run", "--method", "uid", "--setting", ""], "this needs a --setting", "--method uid --setting multi"),
    (["run", "--method", "uid"], "this needs a --setting", "cdner-bench run --method uid --setting multi"),
    ([*RUN, "--target-data", "data"], "--target-data needs the domains to learn from", "add --source news"),
]
FILES = [
    ([*RUN, "--benchmark", "mine.toml"], "mine.toml: unknown key titel", "did you mean 'title'?"),
    ([*RUN, "--benchmark", "mime.toml"], "cannot read mime.toml: No such file", "did you mean 'mine.toml'?"),
    (["run", "--campaign", "campain.toml"], "cannot read campain.toml: No such file", "did you mean 'campaign.toml'?"),
    (["run", "--campaign", "mine/../campain.toml"], "cannot read", "did you mean 'mine/../campaign.toml'?"),
    (["score", "SAID.JSONL", *MINI], "cannot read SAID.JSONL", "did you mean 'said.jsonl'?"),
    (["run", "--campaign", "study.toml"], "cannot read study.toml", "choose from: campaign.toml, mine.toml"),
    ([*RUN, "--target-data", "dta", "--source", "news"], "there is no folder", "name the folder that holds train"),
    ([*RUN, "--target-data", "data", "--source", "news"], "no file for the train split", "begins with train"),
    (["score", "said.jsnl", *MINI], "cannot read said.jsnl", "did you mean 'said.jsonl'?"),
    (["score", "said.jsonl", *MINI], "said.jsonl:1: unknown sentence 'aii/test/0'", "such as ai/test/0"),
    (["score", "said.jsonl", *MINI, "--target", "aii"], "mini has no domain 'aii'", "did you mean 'ai'?"),
    (["score", "said.txt", *MINI], "said.txt:1: expected a token and its tag", "separate columns by a tab or blanks"),
    (["score", "said.jsonl", *MINI, "--format", "jsonll"], "there is no format 'jsonll'", "did you mean 'json'?"),
    (["data", "fetch", *MINI], "the data of mini is not fetched", "type: cdner-bench data verify --benchmark mini"),
    (["gtok", "clean", "gone.json", "--out", "o.json"], "gone.json is not a GTOK corpus: cannot read gone.json", None),
    (["gtok", "clean", "g.json", "--out", "o.json", *MINI], "--benchmark needs --domain", "add --domain NAME"),
    (
        ["gtok", "clean", "g.json", "--out", "o.json", "--rules", "r.toml"],
        "cannot read r.toml",
        "did you mean 'mine.toml'?",
    ),
    (["gtok", "stats", "--corpus", "g.json", *MINI], "--corpus needs --domain", "add --domain"),
    (["gtok", "stats", "--domain", "news", *MINI], "mini has no GTOK corpora", "add --corpus FILE --domain NAME"),
    (["gtok", "check", "g.json", "--domain", "musik", *MINI], "mini has no domain 'musik'", "did you mean 'music'?"),
]
PLUGINS = [
    (["run", "--method", "gazetteerx", *GAZETTEER[3:]], "unknown method 'gazetteerx'", "add --plugin gazetteerx.py"),
    (["run", "--method", "failing", *GAZETTEER[3:]], "unknown method 'failing'", "add --plugin gazetteerx.py"),
    (["plugin", "check", "gazetteerx"], "unknown method 'gazetteerx'", "a plugin file? add --plugin gazetteerx.py"),
    (["run", "--method", "mine", *GAZETTEER[3:]], "unknown method 'mine'", "add --plugin mine/cdner_mine.py"),
    (["run", "--method", "min", *RUN[3:-1], "gazetteerx.py"], "unknown method 'min'", "choose from: "),
    ([*GAZETTEER, "--plugin", "gazeterx.py"], "there is no file gazeterx.py", "did you mean --plugin gazetteerx.py?"),
    ([*GAZETTEER, "--plugin", "gazetteerx"], "there is no file gazetteerx", "did you mean --plugin gazetteerx.py?"),
    ([*GAZETTEER, "--plugin", "mine"], "mine is a folder", "did you mean --plugin mine/cdner_mine.py?"),
    ([*GAZETTEER, "--plugin", "cdner_mine.py"], "no file cdner_mine.py", "did you mean --plugin mine/cdner_mine.py?"),
    ([*GAZETTEER, "--plugin", "elsewhere.py"], "there is no file elsewhere.py", "--plugin FILE.py"),
]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to work in, with the files that the mistakes are about."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(METHODS, tmp_path / "gazetteerx.py")
    (tmp_path / "data").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cdner_mine.py").write_text("def register_methods():\n    return []\n")
    (tmp_path / "mine.toml").write_text('extends = "mini"\nname = "mine"\ntitel = "Mine"\n')
    (tmp_path / "campaign.toml").write_text('benchmark = "mini"\n')
    (tmp_path / "said.jsonl").write_text('{"id": "aii/test/0", "entities": []}\n')
    (tmp_path / "said.txt").write_text("nonsense\n")


def check(said: str, message: str, hint: str | None) -> None:
    assert message in said
    assert hint is None or hint in said.partition("→")[2]
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) <= 2


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("command", "message", "hint"), [*NAMES, *OPTIONS, *FILES])
def test_a_mistake_is_answered(
    capsys: pytest.CaptureFixture[str], command: list[object], message: str, hint: str | None
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, command)))
    assert ended.value.code == 1
    check(capsys.readouterr().err, message, hint)


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("command", "message", "hint"), PLUGINS)
def test_a_mistaken_plugin_is_answered(cli: Run, command: list[object], message: str, hint: str) -> None:
    """In a process of its own: what is loaded once stays loaded."""
    done = cli(*command)
    assert done.returncode == 1
    check(done.stderr, message, hint)


def test_what_a_run_lacks_is_said_with_what_to_type(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\")\n")
    tagger = ["run", "--method", "bert-tagger", *GAZETTEER[3:], "--target", "ai"]
    path = os.pathsep.join([str(tmp_path / "without"), *filter(None, [os.environ.get("PYTHONPATH")])])
    for command, environment, message, hint in [
        (tagger, {"PYTHONPATH": path}, "No module named 'torch'", "pip install 'cdner-bench[torch]'"),
        ([*tagger, "-o", "backbone=no/where"], {}, "the backbone 'no/where' cannot be loaded", "hf download no/where"),
        (
            [*GAZETTEER, "--benchmark", "crossner", "--target", "ai"],
            {"CDNER_DATA": str(tmp_path)},
            "there is no file",
            "type: cdner-bench data fetch --benchmark crossner",
        ),
    ]:
        done = cli(*command, **environment)
        said = done.stdout + done.stderr
        assert done.returncode == 1
        assert message in said
        assert hint in said.partition("→")[2]
        assert "Traceback" not in said


def test_usage_errors_are_the_parser_s(cli: Run) -> None:
    for mistake, near in ((["run", "--methd", "x"], "--method"), (["leaderbord"], "leaderboard")):
        done = cli(*mistake)
        assert done.returncode == 2
        assert near in done.stderr
