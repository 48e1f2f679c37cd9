"""Result files in, ranked tables out. A pure function of the files; `formats/` puts the tables on a page.

A row is a method with its options, a column a target domain, a cell mean ± sample SD over seeds. Only `span-f1` ranks,
and only rows that have every target: a mean over what happens to be there is never printed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from string import ascii_lowercase
from typing import Any, TypeVar

from ..data import Benchmark
from ..errors import count
from ..names import OVERALL
from ..records import Result
from ..scoring import HEADLINE, PROTOCOLS, RETYPED, SEEN, UNSEEN, estimate_intervals, find_ties
from ..types import Doubt, Interval
from .cells import HOLE, Cell, Estimate, Fixed, Hole, Remarked, Several, list_values
from .costs import (
    ANSWERS,
    ASKED,
    COST,
    CUT_OFF,
    DEVICE,
    FAIRNESS,
    LATER,
    METHOD,
    MODEL,
    TRAINED,
    Ranked,
    show_seconds_of_training,
)
from .row import Ratio, Row
from .table import Column, Supplement, Table

K = TypeVar("K", bound=Hashable)

SHOWN = (HEADLINE, "strict-reading", "topt-released", "bio-projected", "string-multiset")
"""Protocols whose averages stand side by side; all are in the CSV and JSON."""

MOST_NAMED = 4
"""Options that a row is named by; JSON and CSV have all of them."""


INTERVAL = Column[Ranked](
    "95 %",
    "right",
    lambda ranked: _show_interval(ranked.interval) if ranked.interval else Hole(),
    3,
    "interval",
)
"""The ends of the interval of the average."""
POOLED = Column[Ranked]("pooled", "right", lambda ranked: ranked.row.pooled() or Hole())


def _show_interval(interval: Interval) -> Several:
    return Several([Fixed(interval.low, 1), Fixed(interval.high, 1)], "–", ("low", "high"))


@dataclass(frozen=True)
class Board:
    """The leaderboard of one setting of a benchmark: its rows, and what else was `tried`, which is neither ranked nor
    compared.
    """

    benchmark: Benchmark
    setting: str
    rows: Sequence[Row]
    tried: Sequence[Row] = ()
    left_out: Sequence[Result] = ()
    supplements: Sequence[Supplement] = ()

    @property
    def title(self) -> str:
        """The titles of the benchmark and of the setting."""
        return f"{self.benchmark.title}: {self.benchmark.setting(self.setting).title}"

    @property
    def lead(self) -> str:
        """Which data, and where the page comes from."""
        return (
            f"Benchmark `{self.benchmark.name}`, version {self.benchmark.version}. "
            "Written by `cdner-bench leaderboard` from the result files; do not edit."
        )

    @cached_property
    def every_row(self) -> list[Row]:
        """The rows, and those that were tried."""
        return [*self.rows, *self.tried]

    @cached_property
    def ranked(self) -> list[Ranked]:
        """The rows, named, each with its place and how sure that is."""
        samples = [row.sample for row in self.rows if row.sample]  # rows that lack one stand last
        lacking = len(self.rows) - len(samples)
        intervals = [*estimate_intervals(samples), *[None] * lacking]
        ties = [*find_ties(samples), *[False] * lacking]
        return [
            replace(self._name(row), place=place if row.sample else None, interval=interval, tied=tied)
            for place, (row, interval, tied) in enumerate(zip(self.rows, intervals, ties, strict=True), start=1)
        ]

    @cached_property
    def unranked(self) -> list[Ranked]:
        """The rows that were tried, named."""
        return [self._name(row) for row in self.tried]

    @cached_property
    def every_ranked(self) -> list[Ranked]:
        """The rows, and those that were tried, named."""
        return [*self.ranked, *self.unranked]

    def _name(self, row: Row) -> Ranked:
        younger = (
            bool(self.benchmark.public) and row.published not in ("", "none") and row.published > self.benchmark.public
        )
        return Ranked(None, name_row(row), row, self._name_backbone(row), younger=younger)

    def _name_backbone(self, row: Row) -> str:
        """The backbone, with its precision where the rows differ in that."""
        own = [name for name in row.precisions(self.targets) if name != HOLE]
        return f"{row.backbone}, {'/'.join(own)}" if len(self._precisions) > 1 and own else row.backbone

    @cached_property
    def _precisions(self) -> set[str]:
        """What any row computed in."""
        return {name for row in self.every_row for name in row.precisions(self.targets)} - {HOLE}

    def scores(self, protocol: str = HEADLINE, targets: Sequence[str] = ()) -> Table:
        """F1 of all domains, or of some, and on average over all; under the headline or another protocol."""
        note = (
            "Mean ± sample SD over seeds, in percent. Avg.: the mean of the domains, per seed, over seeds that every "
            "domain has."
        )
        if protocol == HEADLINE:
            note += " 95 %: interval of the average, by bootstrap over test sentences, and over seeds if several."
        if self.left_out:
            note += (
                f" Left out: {len(self.left_out)} results of another revision or of other data than the newest here."
            )
        if targets:
            note += f" The average is over all {len(self.targets)} domains."
        if protocol != HEADLINE:
            note += f" The place is that under {HEADLINE}."
        note += " Train s: all training phases, on that device, as under Cost."
        columns = [
            Column[Ranked]("#", "right", lambda ranked: ranked.place or Hole(), 4, "place"),
            METHOD,
            *MODEL,
            *(self._f1(target, protocol) for target in targets or self.targets),
            Column(
                "Avg.",
                "right",
                lambda ranked: self._mark(
                    _show_average(ranked, protocol),
                    ranked,
                    *self.targets,
                    tied=ranked.tied and protocol == HEADLINE,
                ),
                8,
            ),
            *([INTERVAL] if protocol == HEADLINE else []),
            TRAINED,
            Column("Seeds", "right", self._seeds, 2),
            DEVICE,
        ]
        kind = "Strict span micro-F1" if protocol == HEADLINE else "Micro-F1"
        return self.put_legend(Table(f"{kind} ({protocol})", columns, self.ranked, note), protocol)

    def put_legend(self, table: Table, protocol: str = HEADLINE) -> Table:
        """A table of scores with what the marks mean that it has, and where else its test sentences stand."""
        cells = [cell for row in table.cells for cell in row if isinstance(cell, Remarked)]
        used = {mark for cell in cells for mark in cell.remark.split(", ")}
        legend = _explain((why, mark) for why, mark in self._explain_marks(protocol) if mark in used)
        known = self._tell_known() if protocol == HEADLINE else ""
        return replace(table, legend=f"{legend} {known}".strip())

    def also_tried(self) -> Table | None:
        """What was tried beside the rows of the board, if anything."""
        note = (
            "Rows whose options are not those of their preset, and that the benchmark's file does not count among the "
            "board's: neither ranked nor compared."
        )
        columns = [column for column in self.scores().columns if column.name not in ("place", INTERVAL.name)]
        return self.put_legend(Table("Also tried", columns, self.unranked, note)) if self.tried else None

    def _f1(self, target: str, protocol: str) -> Column[Ranked]:
        title = self.benchmark.domain(target).title
        return Column(
            title, "right", lambda ranked: self._mark(ranked.row.cell(target, protocol), ranked, target), 5, target
        )

    @property
    def targets(self) -> Sequence[str]:
        """The target domains, in the order of their columns."""
        return self.benchmark.setting(self.setting).targets

    @cached_property
    def _marks(self) -> dict[str, str]:
        """A letter for each remark on a score of this board: the reasons to doubt it in their order, then others."""
        found = {why for row in self.every_row for why in row.remarks(self.targets)}
        doubts = [str(why) for why in Doubt if why in found]
        return dict(zip([*doubts, *sorted(found - set(doubts))], ascii_lowercase, strict=False))

    @cached_property
    def known(self) -> dict[str, Mapping[str, Sequence[int]] | None]:
        """By target, which of its test sentences stand in which splits that runs learn from; None if no record says."""
        said: dict[str, Mapping[str, Sequence[int]] | None] = dict.fromkeys(self.targets)
        for result in (r for row in self.every_row for r in row.finished):
            if said[result.scenario.target] is None:
                said[result.scenario.target] = result.repeated
        return said

    def _tell_known(self) -> str:
        """How many test sentences of which domains a run could know; nothing if it knew none, or no record says."""
        sizes = {self.benchmark.domain(target).title: self._count_known([target]) for target in self.targets}
        told = ", ".join(f"{title} {size:,}" for title, size in sizes.items() if size)
        return f"Test sentences that stand in a train or dev split, too: {told} (Fairness)." if told else ""

    def _count_known(self, targets: Sequence[str]) -> int | None:
        """How many test sentences of these targets a run could know; None if no record says."""
        places = [self.known[target] for target in targets]
        sizes = [len({n for positions in p.values() for n in positions}) for p in places if p is not None]
        return sum(sizes) if len(sizes) == len(places) else None

    def _tell_where_known(self) -> Iterator[str]:
        """Where the test sentences of each domain stand, too; and of which domains no record says."""
        titles = {target: self.benchmark.domain(target).title for target in self.known}
        told = {
            titles[target]: ", ".join(f"{len(positions):,} in {place}" for place, positions in places.items())
            for target, places in self.known.items()
            if places
        }
        if told:
            where = "; ".join(f"{title}: {places}" for title, places in told.items())
            yield f"Test sentences that stand in other splits, too. {where}."
        if unknown := [titles[target] for target, places in self.known.items() if places is None]:
            yield f"No record says which test sentences of {' and '.join(unknown)} stand in other splits."

    def fairness(self) -> Table | None:
        """What may make the comparison unfair: what each method was given, what of the test split was known before."""
        note = (
            "Was given: what the method may learn from; labels are those of train and dev. Published: its backbone; "
            "none, if that has read nothing public. F1 is span-f1, the mean of the domains. Avg.: the official one. "
            "Without known: over test sentences that stand in no train or dev split of a source or of the target. Seen "
            "in train: over entities whose text the target's train split has under the same type; unseen: over those "
            "whose text it does not have. Gold is placed by its own text, and a wrong prediction by its own. Read in "
            "part: the share of test sentences that went beyond a model's length. A hole: no record says, and "
            "cdner-bench rescore finds it where the data and the predictions are."
        )
        if not any(ranked.row.finished for ranked in self.ranked):
            return None
        if self.benchmark.public:
            note += f" ({LATER}): published after the test sentences ({self.benchmark.public}), which it may have read."
        columns = [METHOD, *MODEL, *FAIRNESS[:2], _average("Avg.", HEADLINE), *FAIRNESS[2:]]
        rows = [ranked for ranked in self.ranked if ranked.row.finished]
        return Table("Fairness", columns, rows, note, legend=" ".join(self._tell_where_known()))

    def _explain_marks(self, protocol: str) -> Iterator[tuple[str, str]]:
        """Every mark of a score, after what it means."""
        compared = sum(ranked.row.sample is not None for ranked in self.ranked) - 1
        if protocol == HEADLINE and compared > 0:
            yield (
                "the best average, and those that cannot be told from it: p ≥ 0.05 by paired approximate "
                "randomisation over sentences and seeds, "
                f"corrected over the {count(compared, 'row')} compared (Holm)",
                "=",
            )
        yield from self._marks.items()

    def _mark(self, cell: Estimate | Hole, ranked: Ranked, *targets: str, tied: bool = False) -> Cell:
        """A score with the letters of what there is to know about it."""
        marks = ["="] * tied + [self._marks[why] for why in ranked.row.remarks(targets)]
        return Remarked(cell, ", ".join(marks)) if marks and isinstance(cell, Estimate) else cell

    def _seeds(self, ranked: Ranked) -> Several:
        """How many seeds a domain has, from the fewest to the most."""
        counts = sorted({len(ranked.row.seeds(t)) for t in self.targets})
        return Several(list(dict.fromkeys((counts[0], counts[-1]))), "–")

    def protocols(self) -> Table:
        """The averages under the protocols of other papers."""
        note = "The same predictions under other papers' scorers (docs/scoring.md). These columns never rank."
        pooled = f" Pooled: {HEADLINE} over the entities of all domains together, not the mean of the domains."
        columns = [METHOD, *MODEL, *(_average(protocol, protocol) for protocol in SHOWN), POOLED]
        return Table("Average under other protocols", columns, self.ranked, note + pooled)

    def cost(self) -> Table:
        """Parameters, time and memory of the rows that have run."""
        note = (
            "Means over runs: of seconds, over those on a machine that did nothing else, where there are some; of "
            "memory, the most. Learnt from: sentences, or in pre-training masked copies and rows, that each stage "
            "went through, all epochs together. s/epoch: the last training phase. Train s: all training phases, "
            "shared ones included, and a language model's labelling of what is learnt. Dev s: answering dev to "
            "choose the epoch. Seconds of different devices do not compare, and are not averaged; (busy): other "
            "processes kept more than a quarter of a core busy meanwhile (`cdner-bench time` takes them anew)."
        )
        return Table("Cost", [METHOD, *MODEL, *COST], [ranked for ranked in self.ranked if ranked.row.finished], note)

    def answers(self) -> Table | None:
        """What was odd about the texts that the methods generated, if they did."""
        note = (
            "Sums over runs: answers, and among them those cut off at the length limit; then what they say that is no "
            "span of its sentence, by the reason. All of it counts as wrong, except what is only said again."
        )
        texts = [ranked for ranked in self.ranked if any(r.answers.get("read") for r in ranked.row.finished)]
        return Table("Generated answers", [METHOD, *MODEL, *ANSWERS], texts, note) if texts else None

    def unseen(self) -> Table | None:
        """What of the test sentences the methods could not see, if they could not."""
        note = (
            "Sums over runs: sentences whose ends are beyond a model's length, their tokens beyond it, and the gold "
            "entities that reach there. Gold keeps them all: what is not seen is missed."
        )
        short = [
            ranked for ranked in self.ranked if any(r.answers.get("unseen sentences") for r in ranked.row.finished)
        ]
        return Table("Beyond the models' lengths", [METHOD, *MODEL, *CUT_OFF], short, note) if short else None

    def models(self) -> Table | None:
        """What was asked of language models, if anything."""
        note = (
            "Sums over runs; latency and waiting in seconds. Refused and filtered answers name no entities, truncated "
            "and malformed ones are scored by what they say. Cost at list prices, in US dollars; a model on this "
            "machine costs none. (mixed): the answers came from several models, or from one that says it was in "
            "several states."
        )
        asked = [ranked for ranked in self.ranked if ranked.row.usages]
        return Table("Language models", [METHOD, *ASKED], asked, note) if asked else None

    def columns(self, scores: Table) -> list[Column[Ranked]]:
        """Every column that there is of a row: of its scores, then of the other tables."""
        others = [_average(protocol, protocol) for protocol in PROTOCOLS]
        return [*scores.columns, *others, *COST, *ANSWERS, *CUT_OFF, *FAIRNESS, *ASKED]

    def tables(self) -> list[Table]:
        """Everything that is shown, in order; what supplements add comes last."""
        made = [self.scores(), self.also_tried(), self.fairness(), self.protocols(), self.cost()]
        made += [self.answers(), self.unseen(), self.models()]
        made += [table for supplement in self.supplements for table in supplement.board_tables(self)]
        return [table for table in made if table]

    def records(self) -> list[dict[str, Any]]:
        """One record a row, target and protocol: the unrounded numbers."""
        return [
            record
            for on_board, rows in ((True, self.ranked), (False, self.unranked))
            for ranked in rows
            for target in (*self.targets, *OVERALL)
            for record in self._list_records(ranked, target, on_board=on_board)
        ]

    def _list_records(self, ranked: Ranked, target: str, *, on_board: bool) -> Iterator[dict[str, Any]]:
        """A record a protocol. What is the same under all of them is found once."""
        row = ranked.row
        over = [target] if target in row.targets else row.targets
        runs = [r for r in row.finished if r.scenario.target in over]
        scores = [(p, estimate) for p in PROTOCOLS if (estimate := _estimate(row, target, p))]
        if not scores:
            return
        what = {
            "benchmark": self.benchmark.name,
            "version": self.benchmark.version,
            "setting": self.setting,
            "method": row.method,
            "options": dict(row.results[0].method.options),
            "backbone": row.backbone,
            "preset": row.preset,
            "on_board": on_board,
            "target": target,
        }
        fairness = {"known_sentences": self._count_known(over), **_list_fairness(ranked, target)}
        how = {
            "train_s": list_values("s", show_seconds_of_training(runs))["s"],
            "device": "; ".join(sorted({r.device or HOLE for r in runs})),
            "precision": ", ".join(row.precisions(over)),
            "doubts": "; ".join(row.remarks(over)),
            **row.count_lost(over),
        }
        for protocol, estimate in scores:
            headline = protocol == HEADLINE
            score = {"protocol": protocol, "mean": estimate.mean, "sd": estimate.sd, "n": estimate.n}
            beside = fairness if headline else {**fairness, **dict.fromkeys(RATIOS)}
            standing = _list_standing(ranked, shown=headline and target == "average")
            yield {**what, **score, **beside, **standing, **how}


def _estimate(row: Row, target: str, protocol: str) -> Estimate | None:
    """The score of a target, or of all of them in one of two ways."""
    if target in row.targets:
        return row.f1(target, protocol)
    return row.average(protocol) if target == "average" else row.pooled(protocol)


def _list_standing(ranked: Ranked, *, shown: bool) -> dict[str, Any]:
    """What is known of an average beside its value; nothing of other scores."""
    interval = ranked.interval if shown else None
    low, high = (interval.low, interval.high) if interval else (None, None)
    return {"low": low, "high": high, "tied_with_best": ranked.tied if interval else None}


NAMES = {"seen": SEEN, "retyped": RETYPED, "unseen": UNSEEN}
RATIOS: Mapping[str, Ratio] = {
    "f1_without_known": Result.f1_without_repeated,
    **{f"f1_{name}": partial(Result.f1_by_train, novelty=kind) for name, kind in NAMES.items()},
    **{f"recall_{name}": partial(Result.recall_by_train, novelty=kind) for name, kind in NAMES.items()},
}
"""What stands beside the headline of a target, and of the average, by what programs call it."""


def _list_fairness(ranked: Ranked, target: str) -> dict[str, Any]:
    """What is known of how fair a score of the headline is."""
    row = ranked.row
    found = {
        name: row.measure(target, ratio) if target in row.targets else row.average_of(ratio)
        for name, ratio in RATIOS.items()
        if target in (*row.targets, "average")
    }
    share = row.share_read_in_part([target] if target in row.targets else row.targets)
    return {
        "given": None if row.given is None else ", ".join(row.given),
        "published": row.published or None,
        "younger_than_test": ranked.younger,
        **{name: estimate.mean if (estimate := found.get(name)) else None for name in RATIOS},
        "read_in_part": share,
    }


def _average(title: str, protocol: str) -> Column[Ranked]:
    return Column(title, "right", lambda ranked: _show_average(ranked, protocol))


def _show_average(ranked: Ranked, protocol: str) -> Estimate | Hole:
    return ranked.row.average(protocol) or Hole()


def _explain(marks: Iterable[tuple[str, str]]) -> str:
    """The legend of marks, each after what it means."""
    legend = "; ".join(f"({mark}) {why}" for why, mark in marks)
    return legend and f"{legend}."


def make_boards(results: Iterable[Result], benchmark: Benchmark, supplements: Sequence[Supplement] = ()) -> list[Board]:
    """One board a setting that has results of this version of the benchmark, those with fewer labels last."""
    known = [r for r in results if (r.benchmark.name, r.benchmark.version) == (benchmark.name, benchmark.version)]
    made = []
    few = sorted({r.scenario.setting for r in known} - set(benchmark.settings))
    every = {**benchmark.settings, **{name: found for name in few if (found := benchmark.find_setting(name))}}
    for name, setting in every.items():
        mine = (r for r in known if r.scenario.setting == name and r.scenario.target in setting.targets)
        here = sorted(mine, key=lambda r: r.order)
        rows: dict[tuple[str, str], list[Result]] = {}
        for result in select_comparable(here):
            rows.setdefault((result.method.name, result.method.row), []).append(result)
        same = [select_alike(row) for row in rows.values()]
        ranked = sorted((Row(row, setting.targets) for row in same), key=lambda r: r.rank_key)
        shown = {id(result) for row in same for result in row}
        if ranked:
            board = [row for row in ranked if benchmark.has_on_board(row.method, row.results[0].departures)]
            tried = [row for row in ranked if not benchmark.has_on_board(row.method, row.results[0].departures)]
            made.append(Board(benchmark, name, board, tried, [r for r in here if id(r) not in shown], supplements))
    return made


def select_comparable(results: Sequence[Result]) -> list[Result]:
    """The results of one setting that may be ranked together: those that share, with the newest of their target, the
    data, the label set and the sizes of the splits.
    """
    newest = find_newest_each(results, lambda r: r.scenario.target)
    return [r for r in results if r.comparable == newest[r.scenario.target].comparable]


def select_alike(row: Sequence[Result]) -> list[Result]:
    """The results of a row that may be averaged: of the newest run's revision and, per target, one state of the files
    that the method reads.
    """
    revision = find_newest(row).method.revision
    same = [r for r in row if r.method.revision == revision]
    newest = find_newest_each(same, lambda r: r.scenario.target)
    return [r for r in same if r.benchmark.data == newest[r.scenario.target].benchmark.data]


def find_newest(results: Sequence[Result]) -> Result:
    """The result that was made last."""
    return max(results, key=lambda r: (str(r.provenance.get("created", "")), r.order))


def find_newest_each(results: Iterable[Result], key: Callable[[Result], K]) -> dict[K, Result]:
    """The result that was made last of those that have the same key, by that."""
    groups: dict[K, list[Result]] = {}
    for result in results:
        groups.setdefault(key(result), []).append(result)
    return {name: find_newest(group) for name, group in groups.items()}


def name_row(row: Row) -> str:
    """The method's name, and the options that are not the preset's, the first of them if they are many; but for the
    backbone, which has a column.
    """
    first = row.results[0]
    values = {name: first.method.options[name] for name in first.departures if name in first.method.options}
    own = [f"{name}={value}" for name, value in values.items() if value is None or value != first.method.backbone]
    if len(own) > MOST_NAMED:
        own[MOST_NAMED:] = [f"and {len(own) - MOST_NAMED} more"]
    return f"{row.method} ({', '.join(own)})" if own else row.method
