"""What `list NAME` says of options comes from their dataclasses, and all shipped options say what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from annotated_types import Ge, Gt, Lt
from pydantic import DirectoryPath, Field, FilePath

from cdner_bench import Analysis, Corpus, Method, Prediction, RunContext, Sentence, Spec, operational, plugins
from cdner_bench.plugins.manual import OptionFacts, describe, show_type, show_value
from support import Run

REGISTRY = plugins.discover()
SHIPPED = [*((entry, Method) for entry in REGISTRY), *((entry, Analysis) for entry in REGISTRY.analyses)]


@dataclass(frozen=True)
class Inner:
    """What is deepest."""

    depth: int = 1
    """How deep
    it is.
    """


@dataclass(frozen=True)
class Stage:
    epochs: Annotated[int, Gt(0)] = 3
    """How often."""
    inner: Inner = Inner()


@dataclass(frozen=True)
class Options:
    """All of them."""

    rate: Annotated[float, Gt(0), Lt(1)] = 1e-4
    limit: Annotated[int | None, operational] = None
    """How much at most."""
    stage: Stage = field(default_factory=lambda: Stage(epochs=9))
    formerly: ClassVar[Mapping[str, str]] = {"epochs": "stage.epochs"}


class Described(Method):
    Options = Options

    def fit(self, sources: Sequence[Corpus], target: Corpus, run: RunContext) -> None: ...

    def predict(self, sentences: Sequence[Sentence], run: RunContext) -> Iterator[Prediction]:
        yield from ()


def test_options_are_described_group_by_group() -> None:
    presets: dict[str, dict[str, object]] = {
        "quick": {"epochs": "1", "limit": 5},
        "cpu": {"stage.epochs": 2},
        "paper": {},
    }
    spec = Spec("described", "test_manual:Described", "", options={"stage.inner.depth": 4}, presets=presets)
    top, stage, inner = describe(spec, Method)
    assert (top.name, top.meaning) == ("", "All of them.")
    assert list(top.options) == [
        OptionFacts("rate", "float > 0 and < 1", "0.0001", {}, "", True),
        OptionFacts("limit", "int | none", "none", {"quick": "5"}, "How much at most.", False),
    ]
    assert (stage.name, stage.meaning) == ("stage", "")  # its docstring is made up by dataclasses
    # The default is that of the whole; a preset may use the name that an option had.
    assert list(stage.options) == [
        OptionFacts("stage.epochs", "int > 0", "9", {"quick": "1", "cpu": "2"}, "How often.", True)
    ]
    assert (inner.name, inner.meaning) == ("stage.inner", "What is deepest.")
    assert list(inner.options) == [OptionFacts("stage.inner.depth", "int", "4", {}, "How deep it is.", True)]


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        (int, "int"),
        (str | None, "text | none"),
        (bool, "true | false"),
        (Literal["a", 2], "a | 2"),
        (Annotated[Annotated[int, Ge(1)] | None, operational], "int >= 1 | none"),
        (Annotated[int, Field(ge=2, lt=9)], "int >= 2 and < 9"),
        (FilePath | None, "file | none"),
        (Annotated[DirectoryPath, "role"], "folder"),
        (Path, "path"),
        (tuple[int, ...], "tuple[int, ...]"),
    ],
)
def test_types_are_shown_as_they_are_typed(hint: Any, shown: str) -> None:
    assert show_type(hint) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "none"), (True, "true"), (1e-5, "1e-05"), (0.5, "0.5"), (7, "7"), ("x", "x")]
)
def test_values_are_shown_as_they_are_typed(value: object, shown: str) -> None:
    assert show_value(value) == shown


@pytest.mark.parametrize(("entry", "base"), SHIPPED, ids=lambda v: getattr(getattr(v, "spec", v), "name", ""))
def test_every_option_says_what_it_means(entry: plugins.Registered, base: type[Method | Analysis]) -> None:
    options = [option for group in describe(entry.spec, base) for option in group.options]
    assert options
    assert [option.name for option in options if not option.meaning] == []


@pytest.mark.parametrize("name", ["gpt4", "gazetteer", "corpus-stats"])
def test_a_page_fits_eighty_columns(typed: Run, name: str) -> None:
    done = typed("list", name)
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_list_tells_what_decides_and_what_presets_set(typed: Run) -> None:
    text = typed("list", "gpt4").stdout
    assert text.startswith("method gpt4: ")
    assert "  max_tokens=512   int > 0; cpu 256, quick 96; decides the result\n" in text
    assert "  concurrency=4   int > 0; operational: how, not what\n" in text
    assert "      How many questions are under way at a time.\n" in text
    done = typed("list", "gazeteer")
    assert (done.returncode, "did you mean 'gazetteer'?" in done.stderr) == (1, True)
