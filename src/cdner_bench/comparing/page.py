"""A comparison as tables and marked sentences: for a terminal, as one page of HTML, and as data."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from ..foreign import redact_all, show_line
from ..marking import Marked, Piece, write_pieces
from ..reporting import (
    HOLE,
    Bracketed,
    Cell,
    Column,
    Fixed,
    Hole,
    Table,
    draw_table,
    escape_html,
    write_document,
    write_lines,
    write_rows,
    write_sections,
)
from ..scoring import HEADLINE, MISSED, OUTSIDE, SPURIOUS, name_type
from .entities import Changes
from .sentences import NEAREST

if TYPE_CHECKING:
    from rich.table import Table as Rich

    from .comparison import Comparison, Domain
    from .sentences import Changed

SHOWN = 12
"""Types and confusions that a terminal shows, those with the largest differences."""
ABREAST = 120
"""Columns of a terminal from which on what A and B say stands side by side."""
WIDEST = 160
"""Columns of a terminal that a matrix may take."""
LONGEST = 240
"""Characters of an explanation that a terminal shows."""
PAGED = 100
"""Sentences on a page of HTML, where nobody says how many."""
MORE = "the same command with --format html"
_HOW = (
    "A less B, in points of F1. Intervals (95 %): bootstrap over test sentences, the same for both, and over seeds. p: "
    "paired approximate randomisation of corpus F1 over sentences, and over seeds; of domains corrected for their "
    "number (Holm)."
)
_CHANGED = "gained: right in A and not in B; lost: right in B and not in A"


def make_tables(comparison: Comparison, most: int | None = None) -> list[Table]:
    """Everything but the sentences; of types and confusions the `most` that differ most, or all."""
    tables = [_tabulate_scores(comparison)]
    entities = comparison.entities
    if entities is None:
        return tables
    tables += [
        _tabulate_changes("Entities by type", "Type", entities.by_type, most),
        _tabulate_changes("Entities by length", "Tokens", entities.by_length),
        _tabulate_changes("Entities by what the target's train split labels", "Text", entities.by_train),
        _tabulate_changes("Errors by class", "Error", entities.by_error, golden=False),
        _tabulate_confusions(entities.confusion_a, entities.confusion_b, most),
    ]
    return tables


def make_matrices(comparison: Comparison, *, numbered: bool = False) -> list[Table]:
    """For A and for B, errors by gold type, a row each, and predicted type, a column each, maybe under its number."""
    entities = comparison.entities
    if entities is None:
        return []
    both = {"A": entities.confusion_a, "B": entities.confusion_b}
    found = {kind for table in both.values() for gold, said in table.items() for kind in (gold, *said)}
    kinds = sorted(found - {SPURIOUS, MISSED}, key=lambda kind: (kind == OUTSIDE, kind))
    across = [*kinds, MISSED]
    headers = [*map(str, range(1, len(kinds) + 1)), MISSED] if numbered else [*map(name_type, across)]

    def write_row(table: Mapping[str, Mapping[str, float]], n: int, gold: str) -> list[Cell]:
        said, number = table.get(gold, {}), f"{n} " if numbered and gold != SPURIOUS else ""
        return [f"{number}{name_type(gold)}", *(_number(said[kind]) if kind in said else "" for kind in across)]

    legend = "What is right is not counted: a type with itself is a wrong boundary."
    return [
        _table(
            f"Errors of {name} by gold and predicted type",
            ("gold \\ predicted", *headers),
            [write_row(table, n, gold) for n, gold in enumerate((*kinds, SPURIOUS), start=1)],
            legend,
        )
        for name, table in both.items()
    ]


def draw_figures(comparison: Comparison, width: int) -> list[str | Rich]:
    """What a terminal of so many columns shows before the sentences; the matrices only where they fit."""
    who = [f"A: {comparison.a.name} ({comparison.a.about})", f"B: {comparison.b.name} ({comparison.b.about})"]
    lines = [*who, *(f"note: {remark}" for remark in comparison.remarks)]
    fitting = [t for t in make_matrices(comparison, numbered=True) if _measure(t) <= min(width, WIDEST)]
    tables = [*make_tables(comparison, SHOWN), *fitting]
    return ["\n".join(map(show_line, lines)), *(draw_table(table, MORE) for table in tables)]


def _measure(table: Table) -> int:
    """How many columns of a terminal a table takes."""
    rows = [table.headers, *write_rows(table)]
    return 2 + sum(2 + max(map(len, column)) for column in zip(*rows, strict=True))


def draw_sentences(comparison: Comparison, number: int, width: int) -> Iterator[str | Rich | Marked]:
    """The sentences that changed, `number` of them, on a terminal of so many columns: gold, then what A and B say, and
    the explanations that are nearest to them.
    """
    from rich.table import Table as Rich

    found = comparison.sentences
    if not comparison.read:
        return
    yield f"{_count_sentences(comparison)}{_explain_sentences(comparison, min(number, len(found)))}"
    for changed in found[:number]:
        yield f"\n{_head(changed)}"
        gold, a, b = (Marked(pieces, f"{name}  ") for name, pieces in changed.lines.items())
        yield gold
        if ABREAST <= width < 1000:
            grid = Rich.grid(padding=(0, 2), expand=True)
            grid.add_column(ratio=1)
            grid.add_column(ratio=1)
            grid.add_row(a, b)
            yield grid
        else:
            yield a
            yield b
        for name, explanation in changed.explained:
            text = f"{explanation.span} ({explanation.type}): {explanation.text}"
            yield shorten(show_line(f"  {_name_learners(comparison, name)}: {text}"), LONGEST, placeholder=" …")


def describe(comparison: Comparison) -> str:
    """The figures as text, for a notebook or a Python prompt."""
    from rich.console import Console

    console = Console(file=io.StringIO(), width=100, color_system=None, markup=False, highlight=False, emoji=False)
    with console.capture() as said:
        console.print(*draw_figures(comparison, console.width), sep="\n")
    return "\n".join(line.rstrip() for line in said.get().splitlines())


def _head(changed: Changed) -> str:
    a, b = changed.counts
    return f"{show_line(changed.sentence.id)}: {_tell_counts('A', a)}; {_tell_counts('B', b)}"


def _tell_counts(name: str, counts: Any) -> str:
    return f"{name} {counts.tp} right, {counts.fp} wrong, {counts.fn} missed"


def _count_sentences(comparison: Comparison) -> str:
    number = sum(len(read.corpus.test) for read in comparison.read)
    return f"{len(comparison.sentences):,} of {number:,} test sentences are answered differently"


def _explain_sentences(comparison: Comparison, shown: int) -> str:
    if not comparison.sentences:
        return "."
    first = [side.seeds[:1] for side in (comparison.a, comparison.b) if len(side.seeds) > 1]
    seeds = f", by the first seed of each ({', '.join(str(n) for each in first for n in each)})" if first else ""
    rest = f"; the {shown} on which A loses most to B" if shown else ""
    marks = "A wrong span has a ! before its type; + is before what has no place in the sentence."
    near = f" Explanations: the {NEAREST} nearest, by the words that both have, rare ones more (TF-IDF)."
    return f"{seeds}{rest}. {marks}{near if comparison.learnt_from else ''}"


def _name_learners(comparison: Comparison, corpus: str) -> str:
    """Who learnt from the corpus of an explanation."""
    return f"{' and '.join(comparison.learnt_from[corpus])} learnt from {corpus}"


def _table(title: str, headers: Sequence[str], rows: Sequence[Sequence[Cell]], legend: str = "") -> Table:
    """A table of values: the first column are words, the others numbers; those on the left stay longest."""

    def take(n: int) -> Callable[[Sequence[Cell]], Cell]:
        return lambda row: row[n]

    columns = [Column(h, "left" if n == 0 else "right", take(n), -n) for n, h in enumerate(headers)]
    return Table(title, columns, rows, legend=legend)


def _tabulate_scores(comparison: Comparison) -> Table:
    every = [*comparison.domains, *([comparison.overall] if len(comparison.domains) > 1 else [])]
    a, b = comparison.a, comparison.b
    rows = [
        (
            domain.name,
            domain.a,
            domain.b,
            Bracketed(Fixed(domain.difference), Fixed(domain.interval.low), Fixed(domain.interval.high))
            if domain.interval
            else Fixed(domain.difference),
            Hole() if domain.p is None else Fixed(domain.p, 4),
            " / ".join(str(n) if side.seeds else HOLE for side, n in ((a, domain.a.n), (b, domain.b.n))),
        )
        for domain in every
    ]
    kind = "Strict span micro-F1" if comparison.protocol == HEADLINE else "Micro-F1"
    headers = ("Domain", "A", "B", "A − B", "p", "Seeds")
    return _table(f"{kind} ({comparison.protocol})", headers, rows, _HOW)


def _number(value: float) -> int | Fixed:
    """A count, or a mean of counts."""
    return round(value) if abs(value - round(value)) < 1e-9 else Fixed(value, 1)


def _tabulate_changes(
    title: str, what: str, changes: Changes, most: int | None = None, *, golden: bool = True
) -> Table:
    """Changes of what gold has, or of errors, which it has none of."""
    named = (
        sorted(changes.items(), key=lambda item: -abs(item[1].gained - item[1].lost)) if most else [*changes.items()]
    )
    rows = [
        (
            name,
            *([change.gold or 0] if golden else []),
            *map(_number, (change.a, change.b, change.gained, change.lost)),
            _number(change.gained - change.lost),
        )
        for name, change in named[:most]
    ]
    if golden:
        legend = f"A, B: how many are right; {_CHANGED}"
    else:
        legend = (
            "A, B: errors; gained: errors of B where A has the entity right, or makes no such error; lost: those of A"
        )
    left = f"; {len(named) - most} types that differ less are left out" if most and len(named) > most else ""
    headers = (what, *(["Gold"] if golden else []), "A", "B", "Gained", "Lost", "Net")
    return _table(title, headers, rows, f"{legend}{left}.")


def _tabulate_confusions(
    a: Mapping[str, Mapping[str, float]], b: Mapping[str, Mapping[str, float]], most: int | None
) -> Table:
    pairs = {(gold, said) for table in (a, b) for gold, row in table.items() for said in row}
    rows = [
        (gold, said, a.get(gold, {}).get(said, 0.0), b.get(gold, {}).get(said, 0.0)) for gold, said in sorted(pairs)
    ]
    rows.sort(key=lambda row: -abs(row[2] - row[3]))
    legend = "What is right is not counted: a type taken for itself is a wrong boundary."
    if most and len(rows) > most:
        legend += f" {len(rows) - most} pairs that differ less are left out."
    cells = [
        (f"{gold} → {name_type(said)}", _number(x), _number(y), _number(x - y)) for gold, said, x, y in rows[:most]
    ]
    return _table("Taken for another type, missed, spurious", ("Gold → predicted", "A", "B", "A − B"), cells, legend)


def to_data(comparison: Comparison, number: int | None = None) -> dict[str, Any]:
    """It as values of JSON, with so many sentences or all; scores in percent, offsets counting tokens."""
    entities = comparison.entities
    return {
        **{
            name: {
                "name": side.name,
                "about": side.about,
                "runs": [run.result.run for run in side.runs],
                "seeds": side.seeds,
            }
            for name, side in (("a", comparison.a), ("b", comparison.b))
        },
        "protocol": comparison.protocol,
        "remarks": list(comparison.remarks),
        "domains": [_domain_to_data(domain) for domain in comparison.domains],
        "average": _domain_to_data(comparison.overall),
        "entities": entities
        and {
            name: {group: vars(change) for group, change in getattr(entities, name).items()}
            for name in ("by_type", "by_length", "by_train", "by_error")
        },
        "confusion": entities and {"a": entities.confusion_a, "b": entities.confusion_b},
        "sentences": [_changed_to_data(changed) for changed in comparison.sentences[:number]],
    }


def _domain_to_data(domain: Domain) -> dict[str, Any]:
    sides = {
        f"{name}{key}": value
        for name, of in (("a", domain.a), ("b", domain.b))
        for key, value in (("", of.mean), ("_sd", of.sd), ("_seeds", of.n))
    }
    low, high = (domain.interval.low, domain.interval.high) if domain.interval else (None, None)
    return {"name": domain.name, **sides, "difference": domain.difference, "low": low, "high": high, "p": domain.p}


def _changed_to_data(changed: Changed) -> dict[str, Any]:
    sentence = changed.sentence
    return {
        "id": sentence.id,
        "tokens": list(sentence.tokens),
        "gold": [[e.start, e.end, e.type] for e in sentence.entities],
        **{
            name: {
                "entities": [[e.start, e.end, e.type] for e in said.entities],
                "rejected": [[r.type, r.text, str(r.reason)] for r in said.rejected],
                "counts": str(counts),
            }
            for name, said, counts in zip(("a", "b"), (changed.a, changed.b), changed.counts, strict=True)
        },
        "loss": changed.loss,
        "explanations": [
            {"corpus": name, "sentence": e.sentence, "span": e.span, "type": e.type, "explanation": e.text}
            for name, e in changed.explained
        ],
    }


def write_json(comparison: Comparison, number: int | None = None) -> str:
    """All of it as JSON, in ASCII, so that nothing in it is unseen."""
    return json.dumps(redact_all(to_data(comparison, number)), indent=1) + "\n"


_FIELDS = ("table", "name", "gold", "a", "b", "difference", "low", "high", "p", "gained", "lost")
_TEXTS = ("gold_text", "a_text", "b_text")


def write_csv(comparison: Comparison, number: int | None = None) -> str:
    """A line a domain, a group of entities, a confusion and a sentence, with all columns, empty where they say nothing
    of it.
    """
    records: list[dict[str, Any]] = []
    for domain in (*comparison.domains, comparison.overall):
        records.append({"table": "f1", **_domain_to_data(domain)})
    if entities := comparison.entities:
        for table in ("by_type", "by_length", "by_train", "by_error"):
            for name, change in getattr(entities, table).items():
                records.append({"table": table, "name": name, **vars(change), "difference": change.a - change.b})
        a, b = entities.confusion_a, entities.confusion_b
        for gold in dict.fromkeys([*a, *b]):
            for said in dict.fromkeys([*a.get(gold, {}), *b.get(gold, {})]):
                x, y = (table.get(gold, {}).get(said, 0) for table in (a, b))
                named = f"{gold} → {name_type(said)}"
                records.append({"table": "confusion", "name": named, "a": x, "b": y, "difference": x - y})
    for changed in comparison.sentences[:number]:
        errors = [counts.fp + counts.fn for counts in changed.counts]
        texts = dict(zip(_TEXTS, map(write_pieces, changed.lines.values()), strict=True))
        name = changed.sentence.id
        records.append(
            {"table": "errors of a sentence", "name": name, "a": errors[0], "b": errors[1], "difference": changed.loss}
            | {"gold": len(changed.sentence.entities), **texts}
        )
    fields = (*_FIELDS, *_TEXTS)
    return write_lines([fields, *([record.get(field) for field in fields] for record in records)])


STYLE = """
.sentence { border-top: 1px solid var(--line); padding: .5rem 0; }
.sentence h3 { font-size: 1rem; margin: .2rem 0; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 0 1.5rem; }
.sides p, .sentence > p { margin: .2rem 0; }
mark { color: inherit; background: none; border-bottom: 2px solid #2a7fb8; padding: 0 .1rem; }
mark.right { border-color: #2e8b57; background: #2e8b5722; }
mark.wrong { border-color: #d03030; border-bottom-style: dashed; background: #d0303022; }
mark small { opacity: .8; font-style: italic; }
.why { opacity: .8; font-size: .9em; }
@media screen and (max-width: 40rem) { td:empty { display: none; } }
"""


def write_html(comparison: Comparison, number: int | None = None) -> str:
    """One page that needs nothing else: figures, matrices, sentences."""
    who = [f"A: {comparison.a.name} ({comparison.a.about})", f"B: {comparison.b.name} ({comparison.b.about})"]
    lines = [*who, *(f"Note: {remark}" for remark in comparison.remarks)]
    parts = [f"<p>{'<br>'.join(map(escape_html, lines))}</p>"]
    parts += write_sections([*make_tables(comparison), *make_matrices(comparison)])
    if comparison.read:
        shown = comparison.sentences[: PAGED if number is None else number]
        parts.append("<h2>Sentences</h2>")
        said = f"{_count_sentences(comparison)}{_explain_sentences(comparison, len(shown))}"
        parts.append(f"<p>{escape_html(said)}</p>")
        parts += [_write_changed(comparison, changed) for changed in shown]
    return write_document(comparison.title, parts, STYLE)


def _write_changed(comparison: Comparison, changed: Changed) -> str:
    gold, a, b = (f"<p><b>{name}</b> {_write_marked(pieces)}</p>" for name, pieces in changed.lines.items())
    why = [
        f'<p class="why">{escape_html(f"{_name_learners(comparison, name)}: {e.span} ({e.type}): {e.text}")}</p>'
        for name, e in changed.explained
    ]
    head = f"<h3>{escape_html(_head(changed))}</h3>"
    return "\n".join(['<div class="sentence">', head, gold, f'<div class="sides">{a}{b}</div>', *why, "</div>"])


def _write_marked(pieces: Sequence[Piece]) -> str:
    classes = {None: "gold", True: "right", False: "wrong"}
    return " ".join(
        f'{"+ " * piece.added}<mark class="{classes[piece.right]}">{escape_html(piece.text)} '
        f"<small>{escape_html(piece.label)}</small></mark>"
        if piece.type
        else escape_html(piece.text)
        for piece in pieces
    )


FORMATS: Mapping[str, Callable[[Comparison, int | None], str]] = {
    "html": write_html,
    "json": write_json,
    "csv": write_csv,
}
"""What a comparison can be written as beside text, with so many sentences or all."""
