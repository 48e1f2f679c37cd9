"""Analysis × corpus → a measurement, timed and recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

from ..data import SPLITS, Benchmark
from ..errors import DataError, OptionError, PluginError, did_you_mean
from ..hashing import digest
from ..io import contained, meter
from ..knowledge import CorpusName, Errors, FileText, GtokText, SplitText, Text, gtok
from ..plugins import Analysis, Measurement, NoNumberError, Observer, Registered, RunContext, options
from ..records import CorpusFacts, Measured, MethodFacts, describe_provenance
from ..types import Corpus


@dataclass(frozen=True)
class MeasurementJob:
    """A measurement to be made."""

    entry: Registered
    options: Any
    text: Text
    benchmark: Benchmark | None
    seed: int

    def __str__(self) -> str:
        of = f" of {self.text.domain.name}" if self.text.domain else ""
        return f"{self.entry.spec.name}: {self.text.name}{of}"


Read = Callable[[Path], Sequence[gtok.Record]]
"""How a file of explanations is read."""


def texts(
    name: str,
    benchmark: Benchmark | None,
    domains: Sequence[str],
    errors: Errors = "strict",
    seed: int = 0,
    read: Read | None = None,
) -> Iterator[Text]:
    """What `name` stands for: a split or a resource (gtok, dapt) of every domain of the benchmark that has it, or of
    the named `domains`; `gtok+50`: the explanations of a domain and 50 of other domains, drawn by `seed`;
    `gtok+50-sentences`: those of 50 sentences of other domains; else a file, or "-" for standard input.

    A file that ends with .json is read as explanations, any other as text; those that mixtures are drawn from by
    `read`, or each once for all domains. Raises `OptionError` for a name that is
    none of these, `DataError` for a corpus that is not here.
    """
    if benchmark is not None and _is_of(benchmark, name):
        every = [benchmark.corpus(domain) for domain in domains or benchmark.domains]
        found = [corpus for corpus in every if name in SPLITS or CorpusName.parse(name).name in corpus.resources]
        if not found or (domains and len(found) < len(every)):
            missing = next(corpus.name for corpus in every if corpus not in found)
            resource = CorpusName.parse(name).name
            file = benchmark.domain(missing).resources.get(resource)
            hint = file.remedy if file else f"declare it as domains.{missing}.resources.{resource} in a benchmark file"
            raise DataError(f"{missing} has no {name} here", hint=hint)
        read = read or cache(gtok.records)
        return (_of_domain(name, benchmark, corpus, errors, seed, read) for corpus in found)
    path = Path(name)
    if name != "-" and not path.exists():
        known = [*SPLITS, *_resources(benchmark)] if benchmark is not None else list(SPLITS)
        raise OptionError(
            f"there is no corpus {name!r}, and no file of that name",
            hint=did_you_mean(name, [*known, "the path of a file"]),
        )
    if len(domains) > 1:
        raise OptionError(f"{name} is one file, --domain names {len(domains)}", hint="name the one it is about")
    corpus = benchmark.corpus(domains[0]) if benchmark is not None and domains else None
    return iter([_file(path, corpus, errors)])


def measure(job: MeasurementJob, work: Path, observer: Observer) -> Measured:
    """Make a measurement. `work` is where an analysis may keep what it builds."""
    entry = job.entry
    named = options.with_role(job.options, options.backbone)
    facts = MethodFacts(entry.spec.name, entry.revision, None, options.as_dict(job.options), named)
    place = work / f"{facts.name}-{digest([facts.row, str(job), job.seed])[:8]}"
    identity = {"class": entry.spec.factory, "revision": entry.revision}
    run = RunContext.create(job.seed, place, work / "shared", identity=identity, observer=observer)
    meter.reset_peak_memory()
    start = perf_counter()
    try:
        with contained():
            found = entry.spec.load(Analysis)(job.options).measure(job.text, run)
    except NoNumberError as error:
        raise PluginError(f"{job}: {error}", hint="take other options") from error
    if not isinstance(found, Measurement):
        raise PluginError(f"analysis {facts.name} returned a {type(found).__name__}, not a cdner_bench.Measurement")
    domain = job.text.domain
    benchmark = job.benchmark if domain else None
    return Measured(
        analysis=facts,
        corpus=CorpusFacts(
            job.text.name,
            domain.name if domain else None,
            benchmark.name if benchmark else None,
            benchmark.version if benchmark else None,
            job.text.sha256,
        ),
        seed=job.seed,
        measurement=found,
        model=run.model,
        seconds=perf_counter() - start,
        device=meter.name_device(),
        peak_memory=meter.read_peak_memory(),
        provenance=describe_provenance(entry.facts),
    )


def _resources(benchmark: Benchmark) -> list[str]:
    return list(dict.fromkeys(name for domain in benchmark.domains.values() for name in domain.resources))


def _is_of(benchmark: Benchmark, name: str) -> bool:
    wanted = CorpusName.parse(name)
    if wanted.mixed is not None and wanted.name in (*SPLITS, "dapt"):
        raise OptionError(f"{name}: explanations can be mixed, {wanted.name} cannot", hint=f"gtok+{wanted.mixed}")
    return wanted.name in (*SPLITS, *_resources(benchmark))


def _of_domain(name: str, benchmark: Benchmark, corpus: Corpus, errors: Errors, seed: int, read: Read) -> Text:
    if name in SPLITS:
        return SplitText(name, getattr(corpus, name), corpus)
    wanted = CorpusName.parse(name)
    path = corpus.resources[wanted.name]
    if wanted.mixed is None:
        return _file(path, corpus, errors, name)
    others = {d: benchmark.corpus(d).resources.get(wanted.name) for d in sorted(benchmark.domains)}
    pool = [r for d, other in others.items() if other is not None and d != corpus.name for r in read(other)]
    added = gtok.mixed_in(pool, wanted.mixed, seed, wanted.unit)
    return GtokText(name, gtok.kept(read(path), corpus), corpus, added)


def _file(path: Path, corpus: Corpus | None, errors: Errors, name: str = "") -> Text:
    if path.suffix != ".json":
        return FileText(path, corpus, errors, name)
    return GtokText(name or str(path), gtok.kept(gtok.records(path), corpus), corpus)
