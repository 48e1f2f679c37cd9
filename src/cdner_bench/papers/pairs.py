"""Where the pairs of hypothesis 3.2 come from: results beside measurements of what they learnt from, and the paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from ..records import Measured, Result
from ..reporting import Row, name_row, natural, select_alike
from .hypothesis import NUMBERS, UID, Pair, Series
from .printed import Paper

Place = tuple[str | None, str | None, str | None, str, int]
"""A measured corpus: the benchmark, its version, the domain, the name, and the seed that drew it."""


@dataclass(frozen=True)
class AlikeRows:
    """Rows that differ in the corpus that they learnt from at most, and in the options that choose it."""

    rows: Sequence[Row]
    chosen_by: Sequence[str]

    def plain(self) -> Row:
        """The first row without the options that choose its corpus: what all of the rows are named by."""
        first = self.rows[0].results[0]
        kept = {name: value for name, value in first.method.options.items() if name not in self.chosen_by}
        return Row([replace(first, method=replace(first.method, options=kept))], self.rows[0].targets)


def pair_measured(results: Iterable[Result], measurements: Iterable[Measured]) -> list[Series]:
    """The series of one benchmark: finished runs that learnt from explanations, and `uid` of the same corpus.

    F1 is the mean over seeds. So is the variance of mixtures, measured with the seeds of the runs.
    """
    groups = group_comparable(results)
    labels = [name_row(group.plain()) for group in groups]
    series = [
        _make_series(group, label, measured, values)
        for measured, values in _collect_variances(measurements).items()
        for group, label in zip(groups, labels, strict=True)
    ]
    return [each for each in series if each.pairs]


def pair_printed(paper: Paper, benchmark: str) -> list[Series]:
    """The pairs that a paper prints: a series a table that has any, with F1 of its own or of another table's row."""
    series = []
    for table in paper.list_tables(benchmark):
        variances = {check["quantity"]: check["printed"] for check in table.get("checks", ())}
        pairs: list[Pair] = []
        tables, setting = [table["table"]], ""
        for entry in table.get("pairs", ()):
            setting, f1 = entry["setting"], entry.get("f1")
            if f1 is None:
                rows = [(t, r) for t, r in paper.list_rows(benchmark, setting) if r["method"] == entry["method"]]
                ((source, row),) = rows
                f1, tables = row["f1"], sorted({*tables, source})
            pairs += [Pair(d, entry["corpus"], v, f1[d]) for d, v in variances[entry["variance"]].items() if d in f1]
        if pairs:
            words = f"Table {tables[0]}" if len(tables) == 1 else f"Tables {' and '.join(tables)}"
            series.append(Series(words, setting, "TOPT", "Flan-T5-base", None, _sort(pairs)))
    return series


def group_comparable(results: Iterable[Result]) -> list[AlikeRows]:
    """Rows of the same benchmark, setting, method, backbone and preset that are alike in all options but those that
    choose the corpus.
    """
    methods: dict[tuple[str, str, str, str], dict[str, list[Result]]] = {}
    for result in sorted(results, key=lambda r: r.order):
        if result.learnt_from:
            place = (result.benchmark.name, result.benchmark.version, result.scenario.setting, result.method.name)
            methods.setdefault(place, {}).setdefault(result.method.row, []).append(result)
    groups: dict[str, AlikeRows] = {}
    for place, by_row in methods.items():
        same = [select_alike(row) for row in by_row.values()]
        rows = [Row(row, list(dict.fromkeys(r.scenario.target for r in row))) for row in same]
        for row in rows:
            chosen_by = row.results[0].method.knowledge_options
            kept = {k: v for k, v in row.results[0].method.options.items() if k not in chosen_by}
            key = repr((place, sorted(kept.items()), row.backbone, row.preset))
            before = groups[key].rows if key in groups else ()
            groups[key] = AlikeRows([*before, row], chosen_by)
    return [groups[key] for key in sorted(groups)]


def _collect_variances(measurements: Iterable[Measured]) -> dict[tuple[str, str], dict[Place, float]]:
    """What was measured of every corpus, by the row of options of the analysis and by which variance it is."""
    variances: dict[tuple[str, str], dict[Place, float]] = {}
    for m in measurements:
        for number in NUMBERS if m.analysis.name == UID else ():
            value = m.measurement.numbers.get(number)
            if value is not None:
                place = (m.corpus.benchmark, m.corpus.version, m.corpus.domain, m.corpus.name, m.seed)
                variances.setdefault((m.analysis.row, number), {})[place] = value
    return variances


def _make_series(group: AlikeRows, label: str, measured: tuple[str, str], variances: Mapping[Place, float]) -> Series:
    pairs = []
    first = group.rows[0].results[0]
    for row in group.rows:
        corpus = row.results[0].learnt_from or ""
        mixed = "+" in corpus  # each seed draws a mixture of its own
        for target in row.targets:
            f1 = row.f1(target)
            place = (first.benchmark.name, first.benchmark.version, target, corpus)
            seeds = row.seeds(target) if mixed else [min((p[-1] for p in variances if p[:-1] == place), default=0)]
            values = [variances.get((*place, seed)) for seed in seeds]
            known = [value for value in values if value is not None]
            if f1 and len(known) == len(values):
                pairs.append(Pair(target, corpus, fmean(known), f1.mean))
    uid, number = measured
    return Series(
        source="measured",
        setting=first.scenario.setting,
        method=label,
        backbone=group.rows[0].backbone,
        preset=group.rows[0].preset,
        pairs=_sort(pairs),
        row=uid,
        versions=len({r.method.revision for row in group.rows for r in row.results}),
        number=number,
        chosen_by=group.chosen_by,
    )


def _sort(pairs: Iterable[Pair]) -> list[Pair]:
    return sorted(pairs, key=lambda pair: (pair.domain, natural(pair.corpus)))
