"""The suite passes methods that keep the contract and fails, by name, those that break a promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdner_bench import plugins
from cdner_bench.plugins import conformance
from methods import MISDEEDS
from support import ROOT, Run

METHODS = ROOT / "tests" / "methods.py"
VILLAINS = ROOT / "tests" / "villains.py"


def broken(name: str, files: list[Path], **options: object) -> list[str]:
    entry = plugins.discover(files).get(name)
    return [c.promise for c in conformance.check(entry, options, files) if c.problem]


def test_a_good_method_passes() -> None:
    assert broken("oracle-of-case", [METHODS]) == []


@pytest.mark.parametrize("misdeed", MISDEEDS[1:])
def test_a_misdeed_is_seen(misdeed: str) -> None:
    assert "one prediction per sentence, in order, spans inside, types known" in broken(
        "oracle-of-case", [METHODS], misdeed=misdeed
    )


@pytest.mark.parametrize(
    ("misdeed", "problem"),
    [
        ("none", []),
        ("working folder", ["it changes the working folder"]),
        ("environment", ["it changes the environment"]),
        ("locale", ["it changes the locale"]),
        ("warnings", ["it changes filters of warnings"]),
        ("random state", ["it changes random state"]),
        ("handlers of signals", ["it changes handlers of signals"]),
        ("a timer", ["it changes a timer"]),
        ("sys.path", ["it changes sys.path"]),
        ("streams", ["it changes streams and hooks of sys"]),
        ("descriptor closed", ["it changes where standard streams lead"]),
        ("umask", ["it changes the mask of new files"]),
        ("recursion limit", ["it changes the depth of recursion"]),
        ("gc", ["it changes garbage collection"]),
        ("json", ["it changes functions of the standard library or of the harness"]),
        ("renamed", ["it changes functions of the standard library or of the harness"]),
        ("builtins", ["it changes functions of the standard library or of the harness"]),
        ("sentences", ["it changes the corpus ai, what it is to answer"]),
        ("fork", ["it leaves a process"]),
    ],
)
def test_what_harms_others_is_named(
    misdeed: str, problem: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    entry = plugins.discover([VILLAINS]).get("villain")
    found = [c.problem for c in conformance.check(entry, {"misdeed": misdeed}, [VILLAINS]) if c.problem]
    assert found == problem
    assert Path.cwd() == tmp_path


def test_a_thread_that_is_left_behind_is_named_and_not_waited_for(cli: Run) -> None:
    done = cli("plugin", "check", "villain", "--plugin", VILLAINS, "-o", "misdeed=thread")
    assert done.returncode == 1
    assert "no thread and no process is left behind: it leaves the thread Thread-" in done.stdout


@pytest.mark.parametrize("how", ["base exception", "hostile", "sys.exit", "os._exit"])
def test_a_method_that_ends_everything_ends_a_promise(how: str) -> None:
    assert "a target without sources can be learned" in broken("villain", [VILLAINS], misdeed=how)


SNEAKY = """
import itertools, {imports}
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from cdner_bench import Entity, Method, Prediction, Spec, hookimpl

@hookimpl
def register_methods():
    return [Spec("sneaky", f"{{__name__}}:Sneaky", "…", given=("{given}",))]

calls = itertools.count()

@dataclass(frozen=True)
class Options:
    pass

class Sneaky(Method):
    Options = Options
    def fit(self, sources, target, run):
        self.call, self.kind = next(calls), target.types[0]
        assert {needs}
    def predict(self, sentences, run):
        for s in sentences:
            yield Prediction(s.id, (Entity(0, 1, self.kind),) if {rule} else ())
"""


@pytest.mark.parametrize(
    ("parts", "promise"),
    [
        ({"imports": "sklearn"}, "registering imports nothing heavy"),
        (
            {"rule": "self.call % 2"},
            "the same seed gives the same predictions, in whatever state others left the random generators",
        ),
        (
            {"imports": "random", "rule": "random.Random(random.getstate()[1][5]).random() < 0.5"},
            "the same seed gives the same predictions, in whatever state others left the random generators",
        ),
        (
            {"rule": "s.id.startswith('ai/test/')"},
            "predictions do not depend on sentence ids (no gold is looked up)",
        ),
        (
            {"rule": "1 / max(0, 500 - len(s.tokens))"},
            "odd sentences are answered: one token, 600 tokens, other scripts",
        ),
        ({"needs": "sources"}, "a target without sources can be learned"),
        ({"given": "target lables"}, "options are a frozen dataclass with defaults"),
    ],
)
def test_a_broken_promise_is_named(tmp_path: Path, parts: dict[str, str], promise: str) -> None:
    path = tmp_path / "sneaky.py"
    path.write_text(
        SNEAKY.format(**{"imports": "json", "rule": "True", "needs": "True", "given": "target labels"} | parts)
    )
    assert broken("sneaky", [path]) == [promise]
