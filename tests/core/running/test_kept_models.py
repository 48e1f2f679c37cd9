"""A model to keep: which models stay, how they are found again, what is refused, and what labelling says."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdner_bench import CdnerError, plugins
from cdner_bench.cli import main
from cdner_bench.data import Benchmark
from cdner_bench.hashing import digest
from cdner_bench.plugins import conformance
from cdner_bench.records import results
from cdner_bench.running import Job, Outcome, Workers, kept_models, process, runner
from keepers import FAULTS
from support import ROOT, Listener, Nobody, Run, list_spans, read_spans

PLUGINS = [ROOT / "tests" / "keepers.py", ROOT / "tests" / "methods.py"]
REGISTRY = plugins.discover(PLUGINS)
NAMED = [word for path in PLUGINS for word in ("--plugin", str(path))]
KEPT = ("gazetteer", {"folded": True})
TEXT = "We trained Word2vec at Stanford University.\n\n  The  perceptron beats SVM (on ImageNet).\n"


def plan(mini: Benchmark, method: str, options: dict[str, Any], room: int) -> Job:
    (job,) = runner.plan(
        mini.cut_to(20), mini.list_scenarios("single", ["ai"]), [REGISTRY.get(method)], None, options, [3]
    )
    return replace(job, room=room)


def make(job: Job, out: Path, observer: Listener | None = None) -> Outcome:
    (outcome,) = runner.run([job], out, observer or Listener())
    return outcome


def model(job: Job, out: Path) -> Path:
    return out / "runs" / job.id / "model"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Job]:
    """A folder with a finished run that has a model, and three others without."""
    from cdner_bench.data import benchmark

    out, mini = tmp_path_factory.mktemp("kept"), benchmark.load("mini")
    job = plan(mini, *KEPT, kept_models.ROOM)
    make(job, out)
    for method, room in (("gazetteer", 0), ("oracle-of-case", 0)):
        make(plan(mini, method, {}, room), out)
    make(plan(mini, "oracle-of-case", {"misdeed": "raise at fit"}, 0), out)
    return out, job


@pytest.fixture
def desk(kept: tuple[Path, Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Job]:
    """A copy of it in the working folder, with texts."""
    out, job = kept
    shutil.copytree(out, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    Path("t.txt").write_text(TEXT, encoding="utf-8")
    return Path(), job


def predict(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["predict", *map(str, words)])
    return int(ended.value.code or 0)


# --- what is kept ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "options", "room", "note"),
    [
        ("keeper", {}, kept_models.ROOM, ""),
        ("keeper", {}, 0, None),
        ("keeper", {}, 10, "it has 0 kB, there is room for 0 kB; the models of a command have 200 MB together"),
        (
            "keeper",
            {"fault": "is large"},
            kept_models.ROOM,
            "it has at least 400 MB, there is room for 200 MB (--keep-model)",
        ),
        ("keeper", {"fault": "is large"}, kept_models.UNBOUNDED, ""),
        ("keeper", {"fault": "raises"}, kept_models.ROOM, "the model is not kept: ValueError: there is no more room"),
        ("keeper", {"fault": "exits"}, kept_models.ROOM, "the model is not kept: SystemExit: 3"),
        ("oracle-of-case", {}, kept_models.ROOM, None),
        ("oracle-of-case", {}, kept_models.UNBOUNDED, "oracle-of-case has no save and no load (docs/add-a-method.md)"),
        ("half", {}, kept_models.UNBOUNDED, "half has no load"),
    ],
)
def test_what_is_kept_and_why_not(
    method: str, options: dict[str, Any], room: int, note: str | None, mini: Benchmark, tmp_path: Path
) -> None:
    job, listener = plan(mini, method, options, room), Listener()
    outcome = make(job, tmp_path, listener)
    assert (outcome.status, outcome.message) == ("finished", "")
    assert job.id == replace(job, room=1).id
    assert note in " ".join(listener.notes) if note else not listener.notes
    assert (model(job, tmp_path) / "model.json").is_file() == (note == "")
    assert not (tmp_path / "runs" / job.id / "model.draft").exists()
    without = make(replace(job, room=0), tmp_path / "without").result
    assert outcome.result is not None
    assert without is not None
    lasting = [replace(r, phases=(), peak_memory=0, provenance={}) for r in (outcome.result, without)]
    assert results.to_text(lasting[0]) == results.to_text(lasting[1])


def test_doubts_about_the_score_go_with_the_model(mini: Benchmark, tmp_path: Path) -> None:
    job = plan(mini, "keeper", {"fault": "finds nothing"}, kept_models.ROOM)
    make(job, tmp_path)
    assert str(kept_models.read(model(job, tmp_path))).endswith("to be doubted: nothing was predicted")


def test_it_is_kept_in_a_process_of_its_own_too(mini: Benchmark, tmp_path: Path) -> None:
    job = plan(mini, "keeper", {}, kept_models.ROOM)
    assert process.restore(json.loads(json.dumps(process.describe(job, tmp_path, PLUGINS))), REGISTRY).room == job.room
    with Workers(PLUGINS) as workers:
        (outcome,) = runner.run([job], tmp_path, Nobody(), workers.make)
    assert outcome.f1 is not None
    assert kept_models.read(model(job, tmp_path)).types == job.benchmark.corpus("ai").types


@pytest.mark.parametrize("fault", [*FAULTS, "half"])
def test_conformance_sees_a_model_that_is_another_elsewhere(fault: str) -> None:
    entry = REGISTRY.get("half" if fault == "half" else "keeper")
    *_, last = conformance.check(entry, {"fault": "none" if fault == "half" else fault})
    problems = {
        "raises": "ValueError: there is no more room",
        "exits": "SystemExit: 3",
        "is a pickle": "words.bin is a pickle: write safetensors, JSON or text",
        "forgets": "and then ()",
        "reads the run's folder": "No such file or directory",
        "half": "it has no load: write both of save and load, or neither",
    }
    assert problems.get(fault, "") in last.problem
    assert bool(last.problem) == (fault in problems)


# --- what is found and used ------------------------------------------------------------------------------------------


def test_a_model_says_elsewhere_what_the_run_said(desk: tuple[Path, Job], tmp_path: Path) -> None:
    out, job = desk
    test = job.benchmark.corpus("ai").test
    said = read_spans(out / "runs" / job.id)
    folder = tmp_path / "another machine" / "my model"
    shutil.copytree(model(job, out), folder)
    (folder / ".DS_Store").write_bytes(b"\0")
    shutil.rmtree(out / "runs")
    labeller = kept_models.prepare(folder, kept_models.read(folder), REGISTRY, {})
    again = labeller.label([s.tokens for s in test], tmp_path / "nowhere", Listener())
    assert list_spans(again) == said
    assert any(said)
    assert not (tmp_path / "nowhere").exists()


def test_every_name_of_a_run_finds_its_model(desk: tuple[Path, Job]) -> None:
    out, job = desk
    (board,) = [p for p in out.glob("leaderboards/results/**/*.json") if results.load(p).run == job.id]
    run = out / "runs" / job.id
    for named in (job.id, job.id[:6], run, run / "run.json", run / "model", run / "model" / "model.json", board):
        assert kept_models.find(str(named), out, REGISTRY).resolve() == (run / "model").resolve()
    assert kept_models.find(str(board.absolute()), Path("elsewhere"), REGISTRY).samefile(run / "model")
    shutil.copy(board, "mine.json")
    assert kept_models.find("mine.json", out, REGISTRY).samefile(run / "model")


def test_predict_writes_what_convert_writes(desk: tuple[Path, Job], capsys: pytest.CaptureFixture[str]) -> None:
    _, job = desk
    assert predict(job.id, "t.txt") == 0
    shown = capsys.readouterr()
    first, second = map(json.loads, shown.out.splitlines())
    raw = TEXT.split("\n")
    assert (first["text"], second["text"]) == (raw[0], raw[2])
    surfaces = [second["text"][e["start_offset"] : e["end_offset"]] for e in second["entities"]]
    assert surfaces == ["perceptron"]
    types = ", ".join(job.benchmark.corpus("ai").types)
    for part in ("gazetteer, mini-limit20 2 single/ai, seed 3; F1 ", f"types: {types}\n", "t.txt: plain text"):
        assert part in shown.err
    assert shown.err.endswith("2 entities in 2 of 2 sentences\n")
    for to, files in {"bio": [""], "jsonl": [""], "character-spans": [""], "brat": [".txt", ".ann"]}.items():
        assert predict(job.id, "t.txt", "--to", to, "--output", f"said/{to}") == 0
        for ending in files:
            assert Path(f"said/{to}{ending}").is_file()
        if to == "brat":
            assert raw[2] in Path("said/brat.txt").read_text(encoding="utf-8")
        assert predict(job.id, f"said/{to}{files[-1]}", "--output", "again") == 0
        capsys.readouterr()
        spans = [[r["text"][e["start_offset"] : e["end_offset"]] for e in r["entities"]] if "text" in r else
                 [" ".join(r["tokens"][start:end]) for start, end, _ in r["entities"]]
                 for r in map(json.loads, Path("again").read_text(encoding="utf-8").splitlines())]  # fmt: skip
        assert spans == [["Word2vec"], ["perceptron"]]


INPUTS = {
    "a token a line": ("x\tO\nperceptron\tB-field\n\ny\tO\n", "", [["perceptron"], []], "2 sentences are not read"),
    "tags of no scheme": ("a\tB-x\nperceptron\tS-x\nb\tL-\n", "", [["perceptron"]], "1 sentences are not read"),
    "blanks between": ("x O\nperceptron O\n", "", [["perceptron"]], "2 columns"),
    "text and nothing": ('{"text": "a perceptron", "id": "me"}\n', "", [["perceptron"]], "JSON lines"),
    "tokens and nothing": ('[{"tokens": ["perceptron"]}]', "", [["perceptron"]], "JSON array"),
    "labels that are none": ('{"text": "perceptron", "entities": 3}', "", [["perceptron"]], "1 sentences are not read"),
    "offsets in doubt": ('{"tokens": ["a", "b"], "text": "a b", "entities": [[0, 1, "x"]]}', "", [[]], "not read"),
    "words alone": ("perceptron\nSVM\n", "", [["perceptron"], []], "every line is one word"),
    "a sentence in brackets": ("[1] The perceptron\n", "", [["perceptron"]], "plain text"),
    "said to be text": ("perceptron O\n", "text", [["perceptron"]], "plain text"),
    "other line ends": ("\ufeffa perceptron\r\n\r\nb\r\n", "", [["perceptron"], []], "2 sentences"),
    "other scripts": ("機械学習 и \u200b perceptron …\n", "", [["perceptron"]], "1 sentences"),
}


@pytest.mark.parametrize("name", INPUTS)
def test_whatever_is_read_is_labelled(name: str, desk: tuple[Path, Job], capsys: pytest.CaptureFixture[str]) -> None:
    text, format, found, said = INPUTS[name]
    Path("in").write_bytes(text.encode())
    assert predict(desk[1].id, "in", "--output", "o", *(["--format", format] if format else [])) == 0
    records = [json.loads(line) for line in Path("o").read_text(encoding="utf-8").splitlines()]
    assert [[surface(r, e) for e in r["entities"]] for r in records] == found
    assert said in capsys.readouterr().err
    assert name != "text and nothing" or records[0]["id"] == "me"


def surface(record: dict[str, Any], entity: Any) -> str:
    if isinstance(entity, dict):
        return str(record["text"][entity["start_offset"] : entity["end_offset"]])
    return " ".join(record["tokens"][entity[0] : entity[1]])


def test_a_model_is_asked_as_one_likes_but_stays_what_it_is(mini: Benchmark, tmp_path: Path) -> None:
    (tmp_path / "words").write_text("x", encoding="utf-8")
    job = plan(mini, "keeper", {"file": str(tmp_path / "words"), "server": "one"}, kept_models.ROOM)
    make(job, tmp_path)
    (tmp_path / "words").unlink()  # only training reads it
    folder, listener = model(job, tmp_path), Listener()
    card = kept_models.read(folder)
    kept_models.prepare(folder, card, REGISTRY, {"server": "two"}).label([("We",)], tmp_path, listener)
    assert listener.notes == ["asked two"]
    with pytest.raises(CdnerError, match="-o fault: the model was made with fault=none"):
        kept_models.prepare(folder, card, REGISTRY, {"fault": "raises"})


def test_commands_say_where_a_model_is_and_how_to_have_one(cli: Run, tmp_path: Path) -> None:
    run = ["run", "--method", "keeper", "--setting", "single", "--target", "ai", "--benchmark", "mini", *NAMED[:2]]
    assert "kept" not in cli(*run, "--no-keep-model").stdout
    lacking = cli(*run, "--keep-model").stdout.splitlines()
    assert lacking[-2] == "1 of 1 runs were finished before without their models; to have one:"
    words = shlex.split(lacking[-1].removeprefix("  → cdner-bench ").replace("DIR", "again"))
    assert words[0] == "reproduce"
    made = cli(*words)
    assert made.returncode == 0, made.stderr
    place, command = made.stdout.splitlines()[-2:]
    assert place.startswith("model kept in again/runs/")
    (tmp_path / "FILE").write_text(TEXT, encoding="utf-8")
    done = cli(*shlex.split(command.removeprefix("  → cdner-bench ")))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    two = cli(*run, "--seeds", "1,2").stdout.splitlines()
    assert two[-2].startswith("models kept in runs/ (")


# --- what is refused -------------------------------------------------------------------------------------------------


def altered(name: str, change: Callable[[str], str]) -> Callable[[Path], object]:
    def alter(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(change(text), encoding="utf-8")

    return alter


def rewritten(*, method: dict[str, object] | None = None, **fields: object) -> Callable[[Path], object]:
    """A record of which somebody has changed fields, or facts of its method, and which was hashed anew."""

    def change(text: str) -> str:
        record = {**json.loads(text), **fields}
        record["method"] |= method or {}
        del record["sha256"]
        return json.dumps({**record, "sha256": digest(record)})

    return altered("model.json", change)


FOLDERS = [
    (altered("gazetteer.json", lambda t: t.replace("a", "b")), "is damaged or was altered", "copy the whole folder"),
    (altered("gazetteer.json", lambda t: t[:-9]), "is damaged or was altered", "copy the whole folder"),
    (lambda f: (f / "gazetteer.json").unlink(), "gazetteer.json is missing, which model.json names", "copy the whole"),
    (lambda f: (f / "tokenizer.json").write_text("{}"), "tokenizer.json belongs to no model", "remove it: rm "),
    (altered("model.json", lambda t: t.replace("algorithm", "algorism")), "model.json was altered", "copy the whole"),
    (altered("model.json", lambda t: t[:-30]), "model.json is not JSON", "copy the whole folder"),
    (altered("model.json", lambda t: "[1]"), "model.json is no record of a model", "name an id"),
    (altered("model.json", lambda t: '{"model_type": "bert"}'), "is no record of a model: model", "name an id"),
    (rewritten(model=2), "is of form 2, and this cdner-bench reads 1", "take a newer one"),
    (rewritten(seed="x"), "is no record of a model: seed", "name an id"),
    (rewritten(files={"../run.json": "0"}), "leads elsewhere", "write it relative"),
    (rewritten(method={"name": "gazeteer"}), "unknown method 'gazeteer'", "did you mean 'gazetteer'?"),
    (
        rewritten(method={"name": "oracle-of-case", "revision": "x"}),
        "is of revision x of oracle-of-case",
        "the code of oracle-of-case has changed since: make the run again",
    ),
    (
        rewritten(cdner_bench="0.0.1", method={"revision": "7"}),
        "is of revision 7",
        "kept by cdner-bench 0.0.1: take that",
    ),
    (
        rewritten(method={"revision": "7"}),
        "is of revision 7 of gazetteer, and here is revision 1",
        "make the run again",
    ),
    (rewritten(method={"options": {"base_url": "http://evil"}}), "the record has an option 'base_url'", None),
]


@pytest.mark.parametrize(("change", "message", "hint"), FOLDERS)
def test_a_folder_that_is_not_as_it_was_kept_is_refused(
    change: Callable[[Path], object],
    message: str,
    hint: str | None,
    desk: tuple[Path, Job],
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(model(desk[1], desk[0]), "moved")
    change(Path("moved"))
    assert predict("moved", "t.txt", *NAMED) == 1
    check(capsys.readouterr().err, message, hint)


MISTAKES: list[tuple[list[str], str, str | None]] = [
    (["ffff00"], "there is no run and no result file ffff00", "--out FOLDER"),
    (["nothing.json"], "there is no run and no result file nothing.json", "name an id"),
    ([""], "there is no run and no result file", "name an id"),
    (["runs"], "runs is no model: it has no model.json", "name an id"),
    (["t.txt"], "t.txt is not JSON", "name an id"),
    (["{without}"], "({gazetteer}) was finished without its model", "cdner-bench reproduce {without} --again DIR"),
    (["runs/{without}"], "was finished without its model", "--again DIR --keep-model"),
    (["{toy}"], "has no model: oracle-of-case has no save and no load", "docs/add-a-method.md"),
    (["{failed}"], "run {failed} is incomplete: it was not finished", "type its command again"),
    (["{kept}", "empty.txt"], "empty.txt has no sentences: it is empty", "a sentence a line"),
    (["{kept}", "blank.txt"], "blank.txt has no sentences: it is empty", "a sentence a line"),
    (["{kept}", "binary"], "binary:1: byte 0x89 is not UTF-8", "save the file as UTF-8"),
    (["{kept}", "null"], "null:1: a null byte", "save the file as UTF-8"),
    (["{kept}", "t.zip"], "t.zip is a zip archive", "unpack it"),
    (["{kept}", "runs"], "runs is a folder, not a file", "name"),
    (["{kept}", "gone.txt"], "cannot read gone.txt", "did you mean"),
    (["{kept}", "broken.jsonl"], "broken.jsonl:1: not JSON", "write one JSON object a line"),
    (["{kept}", "bare.jsonl"], "bare.jsonl:1: there are no tokens", "write a text, or tokens"),
    (["{kept}", "tags"], "tags: there are no tokens beside the tags", "write a sentence a line"),
    (["{kept}", "half.conll"], "half.conll:2: ", None),
    (["{kept}", "blanks.jsonl", "--to", "bio"], "'New\\nYork' cannot stand in a file of lines", "convert it to jsonl"),
    (["{kept}", "t.txt", "--to", "bioo"], "there is no format 'bioo'", "did you mean 'bio'?"),
    (["{kept}", "t.txt", "--format", "txt"], "there is no format 'txt'", "did you mean 'text'?"),
    (["{kept}", "t.txt", "--to", "brat"], "brat is several files", "name them: --output NAME"),
    (["{kept}", "t.txt", "--output", "t.txt"], "--output: t.txt is the file that is read", "name another"),
    (["{kept}", "t.txt", "--to", "brat", "--output", "t"], "t.txt is the file that is read", "name another"),
    (["{kept}", "t.txt", "--output", "runs"], "--output: runs is a folder", "name a file in it"),
    (["{kept}", "t.txt", "-o", "folded=false"], "-o folded: the model was made with folded=True", "leave it out"),
    (["{kept}", "t.txt", "-o", "foldedd=1"], "method gazetteer has no option 'foldedd'", "did you mean 'folded'?"),
]


@pytest.mark.parametrize(("words", "message", "hint"), MISTAKES, ids=[" ".join(m[0]) for m in MISTAKES])
def test_a_mistake_is_answered(
    words: list[str], message: str, hint: str | None, desk: tuple[Path, Job], capsys: pytest.CaptureFixture[str]
) -> None:
    out, job = desk
    records = [results.load(path) for path in out.glob("runs/*/run.json") if path.parent.name != job.id]
    names = {r.method.name: r.run for r in records}
    finished = {job.id, "shared", *names.values()}
    (failed,) = [p.name for p in (out / "runs").iterdir() if p.name not in finished]
    known = {"kept": job.id, "without": names["gazetteer"], "toy": names["oracle-of-case"], "failed": failed}
    for name, content in {
        "empty.txt": b"", "blank.txt": b" \n\n", "binary": b"\x89PNG\r\n\x1a\n", "null": b"a\0b",
        "t.zip": b"PK\x03\x04", "broken.jsonl": b'{"text": "a"', "bare.jsonl": b'{"id": 1}', "tags": b"O\nO\nB-x\n",
        "half.conll": b"a O\nb\n", "blanks.jsonl": b'{"tokens": ["New\\nYork"]}',
    }.items():  # fmt: skip
        Path(name).write_bytes(content)
    assert predict(*(word.format(**known) for word in [*words, "t.txt"][: max(2, len(words))]), *NAMED) == 1
    said = capsys.readouterr().err
    check(said, message.format(**known, gazetteer="gazetteer"), hint and hint.format(**known))


def check(said: str, message: str, hint: str | None) -> None:
    assert message in said
    assert hint is None or hint in said.partition("→")[2]
    assert "Traceback" not in said


def test_standard_input_that_cannot_be_read(desk: tuple[Path, Job], cli: Run) -> None:
    import subprocess
    import sys

    job = desk[1]
    command = f"{sys.executable} -m cdner_bench predict {job.id} -"
    for redirect, message in (("<&-", "cannot read standard input: it is closed"), ("</dev/null", "it is empty")):
        done = subprocess.run(f"{command} {redirect}", shell=True, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        check(done.stderr, message, "")
    piped = subprocess.run(command.split(), input=TEXT, capture_output=True, text=True, check=True)
    assert len(piped.stdout.splitlines()) == 2
