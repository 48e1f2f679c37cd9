"""`analyze`, as typed: what is printed, what is written, and what is said when it cannot be."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cdner_bench import Analysis, Measurement, gtok, plugins
from cdner_bench.data import Benchmark, benchmark
from cdner_bench.errors import DataError, OptionError, ResultError
from cdner_bench.records import measurements
from cdner_bench.running import analyses
from support import Nobody, Run, take_interrupts

PLUGIN = """
from dataclasses import dataclass
from cdner_bench import Analysis, Measurement, Plot, Spec, hookimpl

@hookimpl
def register_analyses():
    return [Spec("words", "words:Words", "how many words"), Spec("nonsense", "words:Nonsense", "none")]

class Words(Analysis):
    @dataclass(frozen=True)
    class Options:
        unit: str = "natural"

    def measure(self, corpus, run):
        lines = list(corpus.lines(self.options.unit))
        return Measurement({"words": len(" ".join(lines).split())}, columns={"length": [len(l) for l in lines]})

class Nonsense(Words):
    def measure(self, corpus, run):
        return {"words": 1}
"""


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.py"
    path.write_text(PLUGIN)
    return path


def test_a_file_with_an_analysis_is_a_plugin(typed: Run, words: Path, tmp_path: Path) -> None:
    done = typed("analyze", "--analysis", "words", "--corpus", "gtok", "--benchmark", "mini", "--plugin", words)
    assert done.returncode == 0, done.stderr
    assert "literature" in done.stdout
    files = sorted((tmp_path / "leaderboards" / "measurements").rglob("*.json"))
    assert len(files) == 5
    assert {f.parent.relative_to(tmp_path).as_posix() for f in files} == {"leaderboards/measurements/mini/words"}
    found = [measurements.load(f) for f in files]
    assert {m.corpus.domain for m in found} == {"ai", "literature", "music", "politics", "science"}
    mini = benchmark.load("mini")
    explained = [len(gtok.read(mini.corpus(m.corpus.domain or "").resources["gtok"])) for m in found]
    assert [len(m.measurement.columns["length"]) for m in found] == explained


def test_an_analysis_that_returns_nonsense_is_named(typed: Run, words: Path) -> None:
    done = typed("analyze", "--analysis", "nonsense", "--corpus", "words.py", "--plugin", words)
    assert done.returncode == 1
    assert "analysis nonsense returned a dict, not a cdner_bench.Measurement" in done.stderr


def test_standard_input_and_several_analyses(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("a b a b\nb a\n")
    command = [sys.executable, "-m", "cdner_bench", "analyze", "--analysis", "uid,entropy", "--corpus", "-"]
    with (tmp_path / "t.txt").open("rb") as stream:
        done = subprocess.run(command, cwd=tmp_path, stdin=stream, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "benchmark" not in done.stdout
    assert "conditional_entropy_mm" in done.stdout
    assert len(list((tmp_path / "leaderboards" / "measurements" / "texts").rglob("*.json"))) == 2


def test_standard_input_is_read_once(cli: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cdner_bench", "analyze", "--analysis", "uid,corpus-stats", "--corpus", "-"]
    done = subprocess.run(command, cwd=tmp_path, input="a b c\n", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "standard input can be read once" in done.stderr


def test_files_of_one_name_are_kept_apart(typed: Run, tmp_path: Path) -> None:
    for folder, text in (("a", "one two\n"), ("b", "three four\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").write_text(text)
    done = typed("analyze", "--analysis", "corpus-stats", "--corpus", "a/x.txt,b/x.txt")
    assert done.returncode == 0, done.stderr
    found = [measurements.load(p) for p in sorted((tmp_path / "leaderboards" / "measurements").rglob("*.json"))]
    assert [(m.corpus.name, m.corpus.benchmark) for m in found] == [("a/x.txt", None), ("b/x.txt", None)]


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["uidd", "gtok"], "unknown analysis 'uidd'", "did you mean 'uid'?"),
        (["uid", "gtokk"], "there is no corpus 'gtokk', and no file of that name", "did you mean 'gtok'?"),
        (["uid", "gtok", "--domain", "news"], "news has no gtok here", "declare it as domains.news.resources.gtok"),
        (["uid", "gtok", "--domain", "aai"], "mini has no domain 'aai'", "did you mean 'ai'?"),
        (["uid", "gtok", "-o", "model=trigram"], "option model=trigram", None),
        (["uid", "gtok", "-o", "unt=line"], "analysis uid has no option 'unt'", "did you mean 'unit'?"),
        (["uid", "gtok", "-o", "unit=line"], "gtok has no unit 'line'", "explanation, sentence, document"),
        (["uid", "gtok", "--errors", "ignore"], "--errors ignore", "choose from: strict, replace"),
        (["uid", "gtok+99999"], "99999 explanations of other domains are to be mixed in, there are", None),
        (["uid", "gtok+999-sentences"], "999 sentences of other domains", None),
        (["uid", "shape.json"], "not of the shape", None),
        (["uid", "field.json"], "record 0: not of the shape", None),
        (["uid", "cut.json"], "is not a GTOK corpus", None),
        (["uid", "empty.txt"], "empty.txt holds no text", None),
        (["uid", "blank.txt"], "only white space", None),
        (["uid", "binary"], "no text: there is a NUL at byte 1", "name a text file"),
        (["uid", "latin.txt"], "not UTF-8 at byte 3", "--errors replace"),
        (["uid", "one.txt"], "no unit of one.txt has a surprisal", "line, sentence, document"),
        (["uid", "train+50"], "explanations can be mixed, train cannot", "gtok+50"),
        (["uid", "gtok", "-o", "exponent=500", "-o", "operationalisation=super-linear"], "option exponent=500", None),
        (["uid", "gtok", "-o", "tokens=nosuch"], "option tokens=nosuch", "whitespace, word"),
        (["uid", "."], "is a folder", None),
    ],
)
def test_what_cannot_be_measured_is_said(
    arguments: list[str], message: str, hint: str | None, typed: Run, tmp_path: Path
) -> None:
    record = '[{"text": "a b", "explanations": [%s]}]'
    files = {
        "shape.json": b'[{"a": 1}]', "field.json": (record % '{"word": "a", "label": "b"}').encode(),
        "cut.json": record.encode()[:20], "empty.txt": b"", "blank.txt": b" \n\n", "binary": b"\x7f\0ELF",
        "latin.txt": b"caf\xe9\n", "one.txt": b"a\nb\n",
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    analysis, corpus, *rest = arguments
    data = [] if corpus in files or corpus == "." else ["--benchmark", "mini"]
    done = typed("analyze", "--analysis", analysis, "--corpus", corpus, *rest, *data)
    assert done.returncode == 1, done.stdout
    assert message in done.stderr
    assert hint is None or hint in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "leaderboards").exists()


def test_replacing_goes_on(typed: Run, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"a caf\xe9\na caf\xe9\n")
    done = typed("analyze", "--analysis", "uid", "--corpus", "latin.txt", "--errors", "replace")
    assert done.returncode == 0, done.stderr


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cdner_bench", "analyze", "--analysis", "uid", "--corpus", "-"]
    child = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=take_interrupts,  # noqa: PLW1509
    )
    assert child.stdin is not None
    child.stdin.write(b"a b c\n" * 1_000_000)  # it has begun to read when this is through
    child.stdin.flush()
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=300)
    assert child.returncode == 130, errors
    assert b"interrupted" in errors
    assert list(tmp_path.iterdir()) == []


def test_a_mixture_is_the_corpus_and_what_was_drawn(mini: Benchmark) -> None:
    def lines(name: str, seed: int = 0) -> list[str]:
        (text,) = analyses.texts(name, mini, ["music"], seed=seed)
        return list(text.lines())

    own = lines("gtok")
    mixed = lines("gtok+20")
    assert mixed[: len(own)] == own
    assert len(mixed) == len(own) + 20
    assert not set(mixed[len(own) :]) & set(own)
    assert lines("gtok+20") == mixed != lines("gtok+20", seed=1)
    assert len(lines("gtok+20-sentences")) > len(mixed)
    others = [d for d in mini.domains if d != "music" and "gtok" in mini.corpus(d).resources]
    pool = [e.text for d in sorted(others) for e in gtok.read(mini.corpus(d).resources["gtok"])]
    assert all(" ".join(line.split()) in {" ".join(p.split()) for p in pool} for line in mixed[len(own) :])


def test_a_measurement_survives_its_file(mini: Benchmark, tmp_path: Path) -> None:
    entry = plugins.discover().analysis("corpus-stats")
    (text,) = analyses.texts("gtok", mini, ["ai"])
    job = analyses.MeasurementJob(entry, entry.spec.resolve(None, {}, Analysis), text, mini, 3)
    made = analyses.measure(job, tmp_path, Nobody())
    measurements.save(made, tmp_path / made.path)
    assert measurements.load(tmp_path / made.path) == made
    assert list(made.measurement.parts) == list(mini.corpus("ai").types)
    assert made.path.as_posix() == f"mini/corpus-stats/gtok-ai-{made.analysis.row}-3.json"


def test_a_damaged_measurement_is_named(mini: Benchmark, tmp_path: Path) -> None:
    entry = plugins.discover().analysis("corpus-stats")
    (text,) = analyses.texts("train", mini, ["ai"])
    made = analyses.measure(
        analyses.MeasurementJob(entry, entry.spec.resolve(None, {}, Analysis), text, mini, 0), tmp_path, Nobody()
    )
    path = tmp_path / "m.json"
    measurements.save(made, path)
    record = json.loads(path.read_text())
    for key, value in (("seed", "a"), ("measurement", {**record["measurement"], "parts": {"x": {"y": "z"}}})):
        path.write_text(json.dumps({**record, key: value}))
        with pytest.raises(ResultError, match=r"is not a measurement of schema 2: (seed|measurement\.parts\.x\.y)"):
            measurements.load(path)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"schema": 1}', '{"schema": 99, "a": 1}'])
def test_a_broken_measurement_file_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(ResultError, match=r"m\.json"):
        measurements.load(tmp_path / "m.json")


def test_a_number_that_is_none_is_refused() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="variance is"):
            Measurement({"variance": value})
    with pytest.raises(ValueError, match="different lengths"):
        Measurement({}, columns={"a": [1.0], "b": []})


def test_texts_of_a_benchmark_are_found_by_name(mini: Benchmark, tmp_path: Path) -> None:
    assert [t.domain and t.domain.name for t in analyses.texts("dev", mini, [])] == list(mini.domains)
    assert len(list(analyses.texts("dapt", mini, []))) == 5
    with pytest.raises(DataError, match="news has no dapt"):
        analyses.texts("dapt", mini, ["news", "ai"])
    path = tmp_path / "x.txt"
    path.write_text("a b\n")
    (text,) = analyses.texts(str(path), mini, ["ai"])
    assert text.domain is not None
    assert text.domain.name == "ai"
    with pytest.raises(OptionError, match="is one file"):
        analyses.texts(str(path), mini, ["ai", "music"])
