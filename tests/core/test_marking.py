"""Sentences with their spans marked, with and without colours."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cdner_bench import Entity, Sentence
from cdner_bench.cli.terminal import Terminal
from cdner_bench.marking import Marked, cut_pieces, write_pieces
from hostile import TEXTS, find_harm

GOLD = (Entity(0, 2, "person"), Entity(3, 4, "place"))
SENTENCE = Sentence("s", ("Ada", "Lovelace", "in", "London", "."), GOLD)
OTHER = Entity(1, 2, "place")


@pytest.mark.parametrize(
    ("spans", "gold", "unplaced", "shown"),
    [
        (GOLD, None, (), "[Ada Lovelace person] in [London place] ."),
        ((), GOLD, (), "Ada Lovelace in London ."),
        (GOLD[:1], GOLD, (), "[Ada Lovelace person] in London ."),
        ((Entity(3, 5, "place"),), GOLD, (), "Ada Lovelace in [London . !place]"),
        ((Entity(0, 2, "place"),), GOLD, (), "[Ada Lovelace !place] in London ."),
        ((*GOLD, OTHER), GOLD, (), "[Ada Lovelace person] in [London place] . + [Lovelace !place]"),
        ((OTHER, OTHER), None, (), "Ada [Lovelace place] in London ."),
        ((), GOLD, [("person", "Byron")], "Ada Lovelace in London . + [Byron !person]"),
        ((), None, [("person", "Byron")], "Ada Lovelace in London . + [Byron person]"),
    ],
)
def test_spans_stand_between_brackets(spans, gold, unplaced, shown) -> None:  # type: ignore[no-untyped-def]
    assert write_pieces(cut_pieces(SENTENCE, spans, gold, unplaced)) == shown


def draw(pieces, *, colours: str | None) -> str:  # type: ignore[no-untyped-def]
    console = Console(file=io.StringIO(), color_system=colours, force_terminal=bool(colours), width=60)  # type: ignore[arg-type]
    with console.capture() as said:
        console.print(Marked(pieces, "gold "))
    return said.get()


def test_colours_stand_for_brackets_where_there_are_some() -> None:
    pieces = cut_pieces(SENTENCE, [Entity(0, 2, "place"), GOLD[1]], GOLD)
    assert draw(pieces, colours=None).strip() == "gold [Ada Lovelace !place] in [London place] ."
    coloured = draw(pieces, colours="standard")
    assert "[Ada" not in coloured
    assert "!place" in coloured  # what is wrong is told without colours too
    red, green = coloured.index("31m"), coloured.index("32m")
    assert red < coloured.index("Ada") < green < coloured.index("London")


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text)[:30])
def test_words_and_types_are_text(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    sentence = Sentence("s", (text, "x"))
    pieces = cut_pieces(sentence, [Entity(0, 1, text)], (), [(text, text)])
    assert find_harm(write_pieces(pieces)) == []
    Terminal(width=500).print(Marked(pieces, text))
    assert find_harm(capsys.readouterr().out) == []
