"""Two methods, rows, runs or files of predictions on the same test sentences: what differs, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean

from ..errors import CdnerError, OptionError, ResultError, did_you_mean
from ..knowledge import CorpusName, Explanation, gtok
from ..reporting import Estimate
from ..scoring import HEADLINE, PROTOCOLS, Counts, resampling
from ..types import Corpus, Interval, Prediction, Sentence
from .entities import Entities, compare_entities
from .sentences import Changed, Find, Nearest, find_changed
from .sides import Answers, Side, Sides, check_protocol, explain, find_sides, read_corpus


@dataclass(frozen=True)
class Domain:
    """A domain, or all of them: F1 of A and of B over seeds, in percent, A less B, its 95 % interval, and how likely a
    difference as large is by chance alone, corrected for the number of domains. The last two are None where the counts
    of sentences are not known.
    """

    name: str
    a: Estimate
    b: Estimate
    interval: Interval | None = None
    p: float | None = None

    @property
    def difference(self) -> float:
        """A less B, in points."""
        return self.a.mean - self.b.mean


@dataclass(frozen=True)
class Read:
    """A domain whose predictions are here."""

    corpus: Corpus
    a: Sequence[Sequence[Prediction]]
    b: Sequence[Sequence[Prediction]]


@dataclass(frozen=True, repr=False)
class Comparison:
    """What differs between A and B. `overall` is the mean over the domains; `remarks` say, a sentence each, what was
    left out and what the numbers stand on. Differences are A less B.
    """

    a: Side
    b: Side
    title: str
    protocol: str
    domains: Sequence[Domain]
    overall: Domain
    remarks: Sequence[str]
    read: Sequence[Read]

    def __repr__(self) -> str:
        from .page import describe

        return describe(self)

    @property
    def difference(self) -> float:
        """A less B: the mean over domains, in points."""
        return self.overall.difference

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the difference."""
        return self.overall.interval

    @property
    def p(self) -> float | None:
        """How likely a difference as large is by chance alone."""
        return self.overall.p

    @cached_property
    def entities(self) -> Entities | None:
        """What differs entity by entity; None without predictions."""
        return compare_entities([(r.corpus, r.a, r.b) for r in self.read]) if self.read else None

    @cached_property
    def sentences(self) -> Sequence[Changed]:
        """The sentences that the first seeds of A and B answer differently, those on which A loses most first."""
        found = [
            changed
            for read in self.read
            for changed in find_changed(read.corpus, read.a[0], read.b[0], self._find_nearest(read.corpus))
        ]
        return sorted(found, key=lambda changed: -changed.loss)

    @property
    def learnt_from(self) -> dict[str, list[str]]:
        """The corpora of explanations that a side learnt from, each with the sides."""
        found: dict[str, list[str]] = {}
        for name, side in (("A", self.a), ("B", self.b)):
            for corpus in sorted({run.result.learnt_from for run in side.runs if run.result.learnt_from}):
                found.setdefault(CorpusName.parse(corpus).name, []).append(name)
        return {corpus: list(dict.fromkeys(names)) for corpus, names in found.items()}

    def _find_nearest(self, corpus: Corpus) -> Find:
        """What finds explanations of a domain; those of other domains, where some were mixed in, are left out."""
        known: list[tuple[str, Nearest]] = []

        def find(sentence: Sentence) -> list[tuple[str, Explanation]]:
            if not known:
                known.extend((name, _index(name, corpus)) for name in self.learnt_from)
            return [(name, explanation) for name, nearest in known for explanation in nearest.find(sentence.text)]

        return find


def _index(name: str, corpus: Corpus) -> Nearest:
    """The explanations of a domain; none where they are not here, or not what they should be."""
    try:
        return Nearest(gtok.read(corpus.resources[name], corpus) if name in corpus.resources else [])
    except CdnerError:
        return Nearest([])


def compare(
    a: str | Path,
    b: str | Path,
    *,
    benchmark: str | None = None,
    setting: str | None = None,
    targets: Sequence[str] = (),
    out: Path | str = ".",
    protocol: str = HEADLINE,
) -> Comparison:
    """Compare two methods, rows (`method-1a2b3c4d`), runs (an id or how it begins, `method/target/seed`, a result file)
    or files of predictions on the test sentences that both answer. `out` is the folder with `leaderboards/`.

    Raises `CdnerError` for names of nothing and of several things, and for what cannot be compared, with what differs.
    """
    if protocol not in PROTOCOLS:
        raise OptionError(f"there is no protocol {protocol!r}", hint=did_you_mean(protocol, PROTOCOLS))
    sides = find_sides(str(a), str(b), Path(out), benchmark, setting, targets)
    check_protocol(protocol, sides)
    one, other = sides.a, sides.b
    mine: dict[str, Sequence[Sequence[Counts]]] = {}
    theirs: dict[str, Sequence[Sequence[Counts]]] = {}
    reads = []
    unknown: dict[str, list[str]] = {}
    for domain in sides.domains:
        read = _read(sides, domain)
        if isinstance(read, str):
            unknown.setdefault(f"entities and sentences are not compared: {read}", []).append(domain)
        else:
            reads.append(read)
        counts = _count(sides, domain, protocol, None if isinstance(read, str) else read)
        if isinstance(counts, str):
            unknown.setdefault(f"no interval and no p: {counts}", []).append(domain)
        else:
            mine[domain], theirs[domain] = counts
    alone = {name: ({name: mine[name]}, {name: theirs[name]}) for name in mine}
    corrected = resampling.correct_holm([resampling.compare(*both).p for both in alone.values()])
    p = dict(zip(alone, corrected, strict=True))
    domains = [
        Domain(
            name,
            _estimate(one.answers[name], protocol),
            _estimate(other.answers[name], protocol),
            resampling.estimate_difference(*alone[name]) if name in alone else None,
            p.get(name),
        )
        for name in sides.domains
    ]
    overall = Domain("average", _average(one, sides.domains, protocol), _average(other, sides.domains, protocol))
    if len(domains) == 1:
        overall = replace(overall, interval=domains[0].interval, p=domains[0].p)
    elif len(mine) == len(domains):
        both = _take_common(one, mine), _take_common(other, theirs)
        overall = replace(overall, interval=resampling.estimate_difference(*both), p=resampling.compare(*both).p)
    remarks = [*sides.remarks, *(f"{', '.join(names)}: {why}" for why, names in unknown.items())]
    remarks += _tell_seeds(sides, overall)
    title = f"{one.name} and {other.name} on {sides.benchmark_name}"
    return Comparison(one, other, title, protocol, domains, overall, remarks, reads)


def _read(sides: Sides, domain: str) -> Read | str:
    """What all runs of both say of a domain, or why that is not known."""
    one, other = (side.answers[domain] for side in (sides.a, sides.b))
    corpus = read_corpus(sides.benchmark, domain, [*one, *other])
    if isinstance(corpus, str):
        return corpus
    said = []
    for side in (sides.a, sides.b):
        try:
            said.append([answers.read(corpus) for answers in side.answers[domain]])
        except ResultError:
            return f"the predictions of {side.name} are not kept here"
        except CdnerError as error:
            return explain(error)
    return Read(corpus, said[0], said[1])


def _count(
    sides: Sides, domain: str, protocol: str, read: Read | None
) -> tuple[Sequence[Sequence[Counts]], Sequence[Sequence[Counts]]] | str:
    """The counts of each sentence in each run of A and of B under a protocol, or why they are not known."""
    if protocol == HEADLINE:
        return [each.sentences for each in sides.a.answers[domain]], [e.sentences for e in sides.b.answers[domain]]
    if read is None:
        return f"{protocol} is counted from predictions"
    found: list[list[Sequence[Counts]]] = []
    for side, said in ((sides.a, read.a), (sides.b, read.b)):
        pairs = zip(side.answers[domain], said, strict=True)
        each = [answers.count(protocol, read.corpus, predictions) for answers, predictions in pairs]
        if None in each:
            return f"what {protocol} counts in a sentence depends on others"
        found.append([counts for counts in each if counts is not None])
    return found[0], found[1]


def _estimate(answers: Sequence[Answers], protocol: str) -> Estimate:
    found = Estimate.over([each.f1(protocol) for each in answers])
    if found is None:
        raise ResultError("there are no runs to average")
    return found


def _average(side: Side, domains: Sequence[str], protocol: str) -> Estimate:
    """The mean over domains, by seed, over the seeds that every domain has; without such, the mean of means."""
    by_seed = [{each.seed: each.f1(protocol) for each in side.answers[domain]} for domain in domains]
    values = [fmean(of_domain[seed] for of_domain in by_seed) for seed in _find_common(side, domains)]
    return Estimate.over(values) or Estimate(fmean(fmean(each.values()) for each in by_seed), None, 0)


def _find_common(side: Side, domains: Iterable[str]) -> list[int | None]:
    """The seeds that every domain has, in order; a file has the one that is None."""
    seeds = set.intersection(*({each.seed for each in side.answers[domain]} for domain in domains))
    return sorted(seeds, key=lambda seed: seed or 0)


def _take_common(side: Side, counts: resampling.Runs) -> resampling.Runs:
    """The counts of the runs that the average is made of: in each domain those of the common seeds, in their order; all
    where there is no common seed.
    """
    common = _find_common(side, counts)
    if not common:
        return counts
    by_seed = {
        domain: {answers.seed: run for answers, run in zip(side.answers[domain], runs, strict=True)}
        for domain, runs in counts.items()
    }
    return {domain: [runs[seed] for seed in common] for domain, runs in by_seed.items()}


def _tell_seeds(sides: Sides, overall: Domain) -> list[str]:
    """Which seeds the numbers stand on."""
    remarks = []
    single: dict[str, list[str]] = {}
    for name, side, score in (("A", sides.a, overall.a), ("B", sides.b, overall.b)):
        if all(len(side.answers[domain]) == 1 for domain in sides.domains):
            what = f"one seed ({', '.join(map(str, side.seeds))})" if side.seeds else "no seeds, being a file"
            single.setdefault(what, []).append(name)
        elif score.n == 0:
            remarks.append(f"{name} has no seed on all domains: its average is the mean of the domains' means")
        elif any(len(side.answers[domain]) > score.n for domain in sides.domains):
            common = ", ".join(map(str, _find_common(side, sides.domains)))
            as_if = f", as if {name} always answered so" if score.n == 1 else ""
            remarks.append(
                f"the average of {name}, its interval and p are of the seeds of all domains: {common}{as_if}"
            )
    said = [f"{' and '.join(names)} ha{'ve' if len(names) == 2 else 's'} {what}" for what, names in single.items()]
    if alone := [name for names in single.values() for name in names]:
        of = "over sentences only" if len(alone) == 2 else f"as if {alone[0]} always answered so"
        remarks.append(f"{', '.join(said)}: intervals and p are {of}")
    runs = [{run.result.run for run in side.runs} for side in (sides.a, sides.b)]
    if shared := runs[0] & runs[1]:
        remarks.append(f"A and B share the runs {', '.join(sorted(shared))}")
    return remarks
