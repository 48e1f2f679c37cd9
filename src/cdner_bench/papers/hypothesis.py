"""Hypothesis 3.2 of the TOPT paper as a test: a model learns more from a corpus whose information is spread evenly.

A pair is a corpus: the variance of its UID, and the F1 of what learnt from it. The hypothesis says that they are
correlated negatively. Pairs are compared by rank (Spearman), once over all of them and once within domains. Domains
differ in difficulty and in vocabulary, which moves F1 and variance at once: over all pairs the correlation is
confounded, within domains it is not. Ranks within a domain are used rather than differences from its mean, because a
step in variance need not mean the same in two domains.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from ..data import benchmark as benchmarks
from ..hashing import digest
from ..records import Measured, Result
from ..reporting import HOLE, Row, alike, natural, row_label
from ..scoring import Spearman, spearman
from .printed import Paper

UID, VARIANCE = "uid", "variance"
"""The analysis, and its number, that the hypothesis is about."""

NUMBERS = (VARIANCE, "sample_variance")
"""What is tested: the paper's number, and the same at equal size, because a larger corpus has more variance."""

_CHOICES = ("pretraining", "gtok", "gtok_folder", "gtok_mix", "gtok_mix_unit", "cumulative_gtok")
"""Options that choose the corpus; series of pairs are alike in all others."""


@dataclass(frozen=True)
class Pair:
    """A corpus of a domain: the variance of its UID, and F1 in percent after learning from it."""

    domain: str
    corpus: str
    variance: float
    f1: float


@dataclass(frozen=True)
class Series:
    """Pairs that may be compared: everything but the corpus is the same. `source`: `measured`, or tables of the paper.

    `row` is the row of options of the analysis behind the variances, empty for printed ones, `number` which variance
    it is; `versions` counts the versions of the method's code behind the scores.
    """

    source: str
    setting: str
    method: str
    backbone: str
    preset: str
    pairs: Sequence[Pair]
    row: str = ""
    versions: int = 1
    number: str = VARIANCE

    def tests(self) -> dict[str, Spearman]:
        """Over all pairs, and within domains: there, a domain with one corpus has nothing to say, and is left out."""
        domains: dict[str, list[tuple[float, float]]] = {}
        for pair in self.pairs:
            domains.setdefault(pair.domain, []).append((pair.variance, pair.f1))
        compared = [block for block in domains.values() if len(block) > 1]
        every = [(pair.variance, pair.f1) for pair in self.pairs]
        return {"all pairs": correlate([every]), "within domains": correlate(compared)}


def correlate(blocks: Sequence[Sequence[tuple[float, float]]]) -> Spearman:
    """Spearman's rho of (UID variance, F1), ranked within each block."""
    return spearman(blocks, ("UID variances", "F1 values"))


def read(test: Spearman) -> str:
    """What a test says of the hypothesis, at the level of 5 %."""
    if test.rho is None or test.p is None:
        return test.reason
    said = "undecided" if test.p >= 0.05 else "as predicted" if test.rho < 0 else "against the prediction"
    return f"{said}; {test.reason}" if test.reason else said


# --- where pairs come from -------------------------------------------------------------------------------------------


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
