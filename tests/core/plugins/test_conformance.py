"""The suite passes methods that keep the contract and fails, by name, those that break a promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from cdner_bench import plugins
from cdner_bench.plugins import conformance
from methods import MISDEEDS
from support import ROOT

METHODS = ROOT / "tests" / "methods.py"


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


SNEAKY = """
import itertools, {imports}
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from cdner_bench import Entity, Method, Prediction, Spec, hookimpl

@hookimpl
def register_methods():
    return [Spec("sneaky", f"{{__name__}}:Sneaky", "…")]

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
        ({"rule": "self.call % 2"}, "the same seed gives the same predictions"),
        (
            {"rule": "s.id.startswith('ai/test/')"},
            "predictions do not depend on sentence ids (no gold is looked up)",
        ),
        (
            {"rule": "1 / max(0, 500 - len(s.tokens))"},
            "odd sentences are answered: one token, 600 tokens, other scripts",
        ),
        ({"needs": "sources"}, "a target without sources can be learned"),
    ],
)
def test_a_broken_promise_is_named(tmp_path: Path, parts: dict[str, str], promise: str) -> None:
    path = tmp_path / "sneaky.py"
    path.write_text(SNEAKY.format(**{"imports": "json", "rule": "True", "needs": "True"} | parts))
    assert broken("sneaky", [path]) == [promise]
