"""A part of the target's labels: which sentences a run with a seed sees, and what tells its results from others."""

from __future__ import annotations

import pytest

from cdner_bench import Corpus
from cdner_bench.data import Benchmark, shots
from cdner_bench.data.shots import Shots
from cdner_bench.errors import OptionError
from cdner_bench.hashing import digest
from cdner_bench.records import describe_comparable


def draw(data: Benchmark, setting: str, seed: int = 0, target: str = "ai") -> Corpus:
    (scenario,) = data.list_scenarios(setting, [target])
    return data.draw(scenario, seed)


def test_the_fewer_are_among_the_more_and_seeds_draw_others(mini: Benchmark) -> None:
    whole = mini.corpus("ai")
    few, more = (draw(mini, f"single-shots{n}") for n in (5, 15))
    assert (len(few.train), len(few.dev), len(more.train), len(more.dev)) == (5, 5, 15, 15)
    assert set(few.train) < set(more.train) < set(whole.train)
    assert set(few.dev) < set(more.dev) < set(whole.dev)
    assert few.test == whole.test
    assert draw(mini, "single-shots5") == few
    assert set(draw(mini, "single-shots5", seed=1).train) != set(few.train)
    assert draw(mini, "multi-shots5").train == few.train
    assert draw(mini, "single-shots5-full-dev").dev == whole.dev
    assert draw(mini, "single") == whole


def test_sentences_that_were_not_drawn_are_removed(mini: Benchmark) -> None:
    """So that explanations of their entities are passed over."""
    few = draw(mini, "single-shots5")
    left = {s.text for s in mini.corpus("ai").train} - {s.text for s in few.train}
    assert few.removed == {digest(text) for text in left}


def test_runs_with_other_numbers_of_labels_do_not_compare(mini: Benchmark) -> None:
    names = ("single", "single-shots5", "single-shots10", "single-shots5-full-dev")
    known = [describe_comparable(mini, mini.list_scenarios(name, ["ai"])[0]) for name in names]
    dev = len(mini.corpus("ai").dev)
    assert [c.sentences[:2] for c in known[1:]] == [(5, 5), (10, 10), (5, dev)]
    assert len({c.data for c in known}) == 4


def test_a_setting_says_how_many_labels(mini: Benchmark) -> None:
    setting = mini.setting("multi-shots25")
    assert setting.shots == Shots(25)
    assert "25 labelled sentences" in setting.title
    assert setting.targets == mini.setting("multi").targets
    assert shots.read_shots(shots.name_shots("multi", Shots(7, full_dev=True))) == ("multi", Shots(7, full_dev=True))
    assert shots.read_shots("multi") is None
    for name in (
        "single-shots0",
        "single-shots1０",
        "single-shots",
        "single-shotsx",
        "sinlge-shots5",
        "-shots5",
        "single-shots5-shots6",
    ):
        with pytest.raises(OptionError, match="has no setting"):
            mini.setting(name)


def test_more_labels_than_there_are_is_refused(mini: Benchmark) -> None:
    with pytest.raises(OptionError, match="ai has 40 labelled sentences"):
        draw(mini, "single-shots41")
    assert len(draw(mini, "single-shots40").train) == 40


@pytest.mark.parametrize(("text", "numbers"), [("10", [10]), ("50, 10,25,10", [10, 25, 50])])
def test_numbers(text: str, numbers: list[int]) -> None:
    assert shots.parse_numbers(text) == numbers


@pytest.mark.parametrize("text", ["", "x", "0", "-5", "1.5", "10;20", "10,,x", "1e3", "１０", "1０", "9999999"])
def test_what_is_no_number_of_sentences(text: str) -> None:
    with pytest.raises(OptionError, match="numbers of labelled sentences"):
        shots.parse_numbers(text)
