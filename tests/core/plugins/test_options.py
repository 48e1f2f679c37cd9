from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
from annotated_types import Gt

from cdner_bench.errors import CdnerWarning, OptionError
from cdner_bench.plugins import backbone, operational, supplies
from cdner_bench.plugins.options import as_dict, deal, parse_assignments, resolve, with_role
from support import context


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


def test_what_no_record_can_hold_is_refused(tmp_path: Path) -> None:
    """As a shell passes it on that is not UTF-8."""

    @dataclass(frozen=True)
    class Named:
        words: str | None = None
        file: Path | None = None
        place: Annotated[Path | None, operational] = None

    place = tmp_path / "caf\udce9"
    place.touch()
    for values in ({"words": "caf\udce9"}, {"file": place}):
        with pytest.raises(OptionError, match=r"option \w+=caf.*: no record can hold it"):
            as_dict(resolve(Named, [values], "m"))
    assert as_dict(resolve(Named, [{"place": place}], "m")) == {"words": None, "file": None}


def test_an_unknown_option_gets_a_suggestion() -> None:
    with pytest.raises(OptionError) as caught:
        resolve(Options, [{"epoch": 3}], "m")
    assert caught.value.hint == "did you mean 'epochs'?"


def test_assignments() -> None:
    assert parse_assignments(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    with pytest.raises(OptionError, match="'nonsense' is no option"):
        parse_assignments(["nonsense"])


@dataclass(frozen=True)
class Learning:
    epochs: Annotated[int, Gt(0)] = 3
    rate: float = 0.1
    limit: Annotated[int | None, operational] = None


@dataclass(frozen=True)
class Grouped:
    start: Annotated[str, backbone] = "small"
    source: Learning = Learning()
    target: Learning = field(default_factory=lambda: Learning(epochs=9))
    formerly: ClassVar[Mapping[str, str]] = {"epochs": "target.epochs", "source_epochs": "source.epochs"}


def test_options_in_groups_have_dotted_names_and_the_names_they_had() -> None:
    layers: list[dict[str, object]] = [
        {"source.epochs": 5, "target.rate": "1e-3"},
        {"source_epochs": "7", "start": "large"},
    ]
    made = resolve(Grouped, layers, "m")
    assert made == Grouped("large", Learning(7), Learning(9, 1e-3))
    assert resolve(Grouped, [{"epochs": 1}, {"target.epochs": 2}], "m").target.epochs == 2
    hash(made)
    recorded = {"start": "large", "source.epochs": 7, "source.rate": 0.1, "target.epochs": 9, "target.rate": 1e-3}
    assert as_dict(made) == recorded
    assert as_dict(made.source) == {"epochs": 7, "rate": 0.1}


LIST = "type: cdner-bench list m, which says what each option takes"


@pytest.mark.parametrize(
    ("values", "message", "hint"),
    [
        ({"source.epochs": 0}, "m: option source.epochs=0: input should be greater than 0", LIST),
        ({"source_epochs": 0}, "m: option source_epochs=0: input should be greater than 0", LIST),
        ({"source.epoch": 1}, "m has no option 'source.epoch'", "did you mean 'source.epochs'?"),
        ({"rate": 1}, "m has no option 'rate'", "did you mean 'source.rate', 'target.rate'?"),
        ({"target": 1}, "m has no option 'target'", "did you mean 'target.epochs', 'target.rate', 'target.limit'?"),
    ],
)
def test_mistakes_in_groups_name_the_option(values: dict[str, object], message: str, hint: str | None) -> None:
    with pytest.raises(OptionError) as caught:
        resolve(Grouped, [values], "m")
    assert str(caught.value).startswith(message)
    assert caught.value.hint == hint


@dataclass(frozen=True)
class Reading:
    file: Annotated[Path | None, supplies("gtok")] = None


@dataclass(frozen=True)
class Marked:
    start: Annotated[str, backbone] = "small"
    reading: Reading = Reading()


def test_options_are_found_by_their_role(tmp_path: Path) -> None:
    made = resolve(Marked, [{"reading.file": tmp_path}], "m")
    assert (with_role(made, backbone), with_role(made, supplies("gtok"))) == ("small", tmp_path)
    assert with_role(made, supplies("dapt")) is None


def test_a_group_in_the_key_of_a_stage_stands_for_its_options(tmp_path: Path) -> None:
    run = context(tmp_path)

    def stage(group: Learning, seed: int = 0, *, seeded: bool = True) -> Path:
        run.seed = seed
        return run.stage("s", lambda place: None, {"group": group}, seeded=seeded)

    first = stage(Learning())
    assert stage(Learning(limit=7)) == first
    assert len({first, stage(Learning(epochs=4)), stage(Learning(), seed=1)}) == 3
    assert stage(Learning(), 0, seeded=False) == stage(Learning(), 1, seeded=False)


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("epoch", "did you mean 'target.epochs'?"),  # nearest is the name it had
        ("target.epoch", "did you mean 'target.epochs'?"),
        ("rate", "did you mean 'source.rate', 'target.rate'?"),
    ],
)
def test_a_misspelt_option_of_a_group_is_answered_with_the_one_meant(given: str, hint: str) -> None:
    with pytest.raises(OptionError) as caught:
        resolve(Grouped, [{given: 1}], "m")
    assert caught.value.hint == hint


@dataclass(frozen=True)
class Source:
    """The options of a method that is called like a group of another's."""

    epochs: int = 1
    size: int = 2


OWNERS = {"small": Options, "large": Grouped, "source": Source}


@pytest.mark.parametrize(
    ("given", "dealt", "said"),
    [
        ({"rate": 1}, {"small": {"rate": 1}}, "-o rate is for small; large, source have no such option"),
        ({"epochs": 5}, {"small": {"epochs": 5}, "large": {"epochs": 5}, "source": {"epochs": 5}}, None),
        ({"target.rate": 1}, {"large": {"target.rate": 1}}, "-o target.rate is for large; small, source have"),
        ({"source.rate": 1}, {"large": {"source.rate": 1}}, "-o source.rate is for large; small, source have"),
        ({"source.size": 1}, {"source": {"size": 1}}, None),  # no option of the group
        ({"small.rate": 1}, {"small": {"rate": 1}}, None),
        ({"large.source.epochs": 1}, {"large": {"source.epochs": 1}}, None),
        ({"large.source_epochs": 1}, {"large": {"source_epochs": 1}}, None),  # as it was called before
        ({"small.wrong": 1}, {"small": {"wrong": 1}}, None),  # which `resolve` refuses, with a suggestion
    ],
)
def test_options_are_dealt(given: dict[str, object], dealt: dict[str, dict[str, object]], said: str | None) -> None:
    expected = {owner: dealt.get(owner, {}) for owner in OWNERS}
    if said is None:
        assert deal(given, OWNERS) == expected
    else:
        with pytest.warns(CdnerWarning, match=said):
            assert deal(given, OWNERS) == expected


def test_what_is_addressed_wins_in_any_order() -> None:
    for given in ({"epochs": 1, "large.target.epochs": 2}, {"large.target.epochs": 2, "epochs": 1}):
        dealt = deal(given, {"small": Options, "large": Grouped})
        assert resolve(Grouped, [dealt["large"]], "large").target.epochs == 2
        assert resolve(Options, [dealt["small"]], "small").epochs == 1


def test_one_method_may_be_addressed_by_its_name_and_says_itself_what_it_has_not() -> None:
    assert deal({"small.rate": 1, "wrong": 2}, {"small": Options}) == {"small": {"rate": 1, "wrong": 2}}


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("epoch", "none of small, large, source has an option 'epoch'", "did you mean 'epochs'?"),
        ("limit", "none of small, large, source has an option 'limit'", "'source.limit', 'target.limit'?"),
        ("smal.rate", "none of small, large, source has an option 'smal.rate'", "did you mean 'small.rate'?"),
        (
            "source.epochs",
            "-o source.epochs can be the option 'epochs' of source, and the option 'source.epochs' of large",
            "write -o large.source.epochs=… for the latter; for the former, run source alone, with -o epochs=…",
        ),
    ],
)
def test_what_cannot_be_dealt_is_said(name: str, message: str, hint: str) -> None:
    with pytest.raises(OptionError) as caught:
        deal({name: 1}, OWNERS)
    assert str(caught.value) == message
    assert hint in (caught.value.hint or "")
