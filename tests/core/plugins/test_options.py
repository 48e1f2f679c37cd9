from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from annotated_types import Gt

from cdner_bench.errors import OptionError
from cdner_bench.plugins import operational
from cdner_bench.plugins.options import as_dict, parse_assignments, resolve


@dataclass(frozen=True)
class Options:
    rate: Annotated[float, Gt(0)] = 0.1
    epochs: int = 3
    mode: Literal["a", "b"] = "a"
    cap: int | None = 5
    fast: bool = False
    start: Literal["none", "gtok"] = "gtok"


def test_later_layers_win_and_text_is_converted() -> None:
    layers: list[dict[str, object]] = [
        {"epochs": 5},
        {"epochs": "7", "rate": "1e-4", "fast": "true", "cap": "none", "start": "none"},
    ]
    assert resolve(Options, layers, "m") == Options(rate=1e-4, epochs=7, fast=True, cap=None, start="none")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": "x"}, "m: option epochs=x: input should be a valid integer"),
        ({"epochs": "1.5"}, "m: option epochs=1.5: input should be a valid integer"),
        ({"rate": "0"}, "m: option rate=0: input should be greater than 0"),
        ({"mode": "c"}, "m: option mode=c: input should be 'a' or 'b'"),
        ({"fast": "maybe"}, "m: option fast=maybe: input should be a valid boolean"),
        ({"epoch": "3"}, "m has no option 'epoch'"),
    ],
)
def test_mistakes_name_the_option(values: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        resolve(Options, [values], "m")


def test_operational_options_are_not_recorded() -> None:
    @dataclass(frozen=True)
    class Conducted:
        epochs: int = 3
        limit: Annotated[int | None, operational] = None

    made = resolve(Conducted, [{"limit": "5"}], "m")
    assert made.limit == 5
    assert as_dict(made) == {"epochs": 3}


def test_an_unknown_option_gets_a_suggestion() -> None:
    with pytest.raises(OptionError) as caught:
        resolve(Options, [{"epoch": 3}], "m")
    assert caught.value.hint == "did you mean 'epochs'?"


def test_assignments() -> None:
    assert parse_assignments(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    with pytest.raises(OptionError, match="'nonsense' is no option"):
        parse_assignments(["nonsense"])
