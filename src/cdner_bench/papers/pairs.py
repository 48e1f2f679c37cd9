"""Where the pairs of hypothesis 3.2 come from: results beside measurements of what they learnt from, and the paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from ..data import benchmark as benchmarks
from ..hashing import digest
from ..records import Measured, Result
from ..reporting import HOLE, Row, alike, natural, row_label
from .hypothesis import NUMBERS, UID, Pair, Series
from .printed import Paper

_CHOICES = ("pretraining", "gtok", "gtok_folder", "gtok_mix", "gtok_mix_unit", "cumulative_gtok")
"""Options that choose the corpus; series of pairs are alike in all others."""


def learnt_from(result: Result) -> str | None:
    """The corpus of explanations that a run learnt from, as `analyze` calls it; None: none, or one of the user's."""
    o = result.method.options
    if o.get("pretraining") != "gtok" or o.get("gtok") or o.get("cumulative_gtok"):
        return None
    if not o.get("gtok_mix"):
        return "gtok"
    if not _own_folder(result.benchmark.name, str(o.get("gtok_folder"))):
        return None
    return f"gtok+{o['gtok_mix']}{'-sentences' if o.get('gtok_mix_unit') == 'sentences' else ''}"


def _own_folder(name: str, folder: str) -> bool:
    """Whether a folder, as a record has it ("name (content)"), holds the explanations of a shipped benchmark."""
    if name not in benchmarks.available():
        return False
    resources = {d: domain.resources.get("gtok") for d, domain in benchmarks.load(name).domains.items()}
    pinned = {f"{d}.json": file.sha256 for d, file in resources.items() if file is not None}
    return folder.endswith(f"({digest(pinned)[:12]})")


def measured(results: Iterable[Result], measurements: Iterable[Measured]) -> list[Series]:
    """The series of one benchmark: finished runs that learnt from explanations, and `uid` of the same corpus.

    F1 is the mean over seeds. So is the variance of mixtures, measured with the seeds of the runs.
    """
    found: dict[tuple[str, str], dict[tuple[Any, ...], float]] = {}
    for m in measurements:
        for number in NUMBERS if m.analysis.name == UID else ():
            value = m.measurement.numbers.get(number)
            if value is not None:
                key = (m.corpus.benchmark, m.corpus.version, m.corpus.domain, m.corpus.name, m.seed)
                found.setdefault((m.analysis.row, number), {})[key] = value
    groups = _groups(results)
    plain = [_plain(rows[0]) for rows in groups]
    made = []
    for uid, values in found.items():
        for rows, first in zip(groups, plain, strict=True):
            label = row_label(first, [other for other in plain if other.method == first.method])
            made.append(_series(rows, label, uid, values))
    return [series for series in made if series.pairs]


def reported(paper: Paper, benchmark: str) -> list[Series]:
    """The pairs that a paper prints: a series a table that has any, with F1 of its own or of another table's row."""
    made = []
    for table in paper.list_tables(benchmark):
        variances = {check["quantity"]: check["printed"] for check in table.get("checks", ())}
        pairs: list[Pair] = []
        tables, setting = [table["table"]], ""
        for entry in table.get("pairs", ()):
            setting, f1 = entry["setting"], entry.get("f1")
            if f1 is None:
                ((source, row),) = [
                    (t, r) for t, r in paper.list_rows(benchmark, setting) if r["method"] == entry["method"]
                ]
                f1, tables = row["f1"], sorted({*tables, source})
            pairs += [Pair(d, entry["corpus"], v, f1[d]) for d, v in variances[entry["variance"]].items() if d in f1]
        if pairs:
            words = f"Table {tables[0]}" if len(tables) == 1 else f"Tables {' and '.join(tables)}"
            made.append(Series(words, setting, "TOPT", "Flan-T5-base", HOLE, _sorted(pairs)))
    return made


def _groups(results: Iterable[Result]) -> list[list[Row]]:
    """Rows of results that differ in the corpus at most."""
    rows: dict[tuple[str, str, str, str, str], list[Result]] = {}
    for result in sorted(results, key=lambda r: r.order):
        if learnt_from(result):
            b = result.benchmark
            key = (b.name, b.version, result.scenario.setting, result.method.name, result.method.row)
            rows.setdefault(key, []).append(result)
    groups: dict[str, list[Row]] = {}
    for place, found in rows.items():
        same = alike(found)
        kept = {k: v for k, v in same[0].method.options.items() if k not in _CHOICES}
        targets = list(dict.fromkeys(r.scenario.target for r in same))
        groups.setdefault(repr((place[:4], sorted(kept.items()))), []).append(Row(same, targets))
    return [groups[key] for key in sorted(groups)]


def _plain(row: Row) -> Row:
    """A row to be named: without the options that choose its corpus."""
    first = row.results[0]
    kept = {name: value for name, value in first.method.options.items() if name not in _CHOICES}
    return Row([replace(first, method=replace(first.method, options=kept))], row.targets)


def _series(rows: Sequence[Row], label: str, of: tuple[str, str], values: dict[tuple[Any, ...], float]) -> Series:
    pairs = []
    first = rows[0].results[0]
    for row in rows:
        corpus = learnt_from(row.results[0])
        for target in row.targets:
            f1 = row.f1(target)
            key = (first.benchmark.name, first.benchmark.version, target, corpus)
            mixed = "+" in (corpus or "")  # each seed draws a mixture of its own
            variances = [values.get((*key, seed if mixed else 0)) for seed in row.seeds(target)]
            known = [v for v in variances if v is not None]
            if f1 and corpus and len(known) == len(variances):
                pairs.append(Pair(target, corpus, fmean(known), f1.mean))
    backbone, preset = rows[0].model
    versions = len({r.method.version for row in rows for r in row.results})
    uid, number = of
    return Series("measured", first.scenario.setting, label, backbone, preset, _sorted(pairs), uid, versions, number)


def _sorted(pairs: Iterable[Pair]) -> list[Pair]:
    return sorted(pairs, key=lambda pair: (pair.domain, natural(pair.corpus)))
