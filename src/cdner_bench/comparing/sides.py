"""Who is compared: a method, a row, a run or a file of predictions by its name, as answers to test sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..data import SPLITS, Benchmark, readers
from ..data import benchmark as benchmarks
from ..errors import CdnerError, OptionError, ResultError, did_you_mean, name_some
from ..records import Result, Run, Status, find_runs, load_runs
from ..reporting import Row, find_newest, select_alike
from ..scoring import PROTOCOLS, Counts, PerType, judge_by_benchmark, read_kept, score, total
from ..types import Corpus, Prediction

_SHORTEST = 4  # hex digits of a row that name it


@dataclass(frozen=True)
class Answers:
    """What a run, or a file, says of the test sentences of a domain: counts under each protocol, and the headline's of
    each sentence. A file has no seed.
    """

    scores: Mapping[str, PerType]
    sentences: Sequence[Counts]
    seed: int | None = None
    run: Run | None = None
    said: Sequence[Prediction] | None = None

    def f1(self, protocol: str) -> float:
        """Micro-F1 in percent."""
        return total(self.scores[protocol].values()).f1

    def read(self, corpus: Corpus) -> Sequence[Prediction]:
        """What it says of each sentence. Raises `ResultError` or `PredictionError` where that is not kept."""
        if self.said is not None:
            return self.said
        assert self.run is not None
        return read_kept(self.run.predictions, corpus.test, corpus.types)

    def count(self, protocol: str, corpus: Corpus, said: Sequence[Prediction]) -> Sequence[Counts] | None:
        """The counts of each sentence under a protocol; None where they do not add up to those of all, so that
        sentences cannot be drawn one by one.
        """
        of = PROTOCOLS[protocol]
        each = [total(of([pair], corpus.types).values()) for pair in zip(corpus.test, said, strict=True)]
        return each if total(each) == total(self.scores[protocol].values()) else None


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: what it is called, what it is in words, its answers for each domain in the
    order of seeds, and why a domain has none.
    """

    name: str
    about: str
    answers: Mapping[str, Sequence[Answers]]
    holes: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def runs(self) -> list[Run]:
        """The runs behind it."""
        return [answers.run for each in self.answers.values() for answers in each if answers.run is not None]

    @property
    def seeds(self) -> list[int]:
        """The seeds of all its domains."""
        return sorted({run.result.seed for run in self.runs})

    @property
    def setting(self) -> str:
        """The setting of its runs; empty for a file."""
        return self.runs[0].result.scenario.setting if self.runs else ""


@dataclass(frozen=True)
class Sides:
    """Both sides, the benchmark that they are of, where it is known here, its domains that both have answers for, and
    what is to be known of how they were found and matched.
    """

    a: Side
    b: Side
    domains: Sequence[str]
    benchmark: Benchmark | None
    benchmark_name: str
    remarks: Sequence[str]


@dataclass
class _Found:
    """What a name may mean: runs, or a file of predictions."""

    named: str
    runs: list[Run] = field(default_factory=list)
    file: readers.LabelledFile | None = None
    remarks: list[str] = field(default_factory=list)

    def list_values(self, of: Callable[[Result], str]) -> list[str]:
        return sorted({of(run.result) for run in self.runs})


def find_sides(
    first: str, second: str, out: Path, benchmark: str | None, setting: str | None, targets: Sequence[str]
) -> Sides:
    """Both sides by their names. Raises `CdnerError` for what is not there, for names of several things, and for what
    cannot be compared, with what differs.
    """
    data = None if benchmark is None else benchmarks.load(benchmark)
    found = [_Found(named, file=_read_file(named)) for named in (first, second)]
    with_runs = [each for each in found if each.file is None]
    if with_runs:
        known = load_runs(out, data.name if data else "")
        for each in with_runs:
            each.runs = _find_runs(each.named, known, out, data)
    _agree(with_runs, "benchmark", lambda result: result.benchmark.name, data.name if data else None)
    _agree(with_runs, "setting", lambda result: result.scenario.setting, setting)
    _keep_targets(with_runs, targets)
    for each in with_runs:
        _keep_one_row(each)
    name = data.name if data else with_runs[0].runs[0].result.benchmark.name if with_runs else ""
    if data is None:
        data = benchmarks.find(name) if name else benchmarks.choose_default()[0]
    if data is not None:
        _check_names(data, setting, targets)
    alone = targets or list(dict.fromkeys(t for each in with_runs for t in each.list_values(_target)))
    names = _tell_apart(found)
    a, b = (_make_side(each, name, data, alone, targets) for each, name in zip(found, names, strict=True))
    same = all(each.file for each in found) and Path(first).resolve() == Path(second).resolve()
    if first == second or same or (a.runs and {run.result.run for run in a.runs} == {run.result.run for run in b.runs}):
        raise ResultError(f"{first} and {second} are the same: {a.about}", hint="name another row, run or file")
    domains, remarks = _match(a, b)
    remarks = [*(remark for each in found for remark in each.remarks), *remarks]
    if idle := [target for target in targets if not {target} & {*a.answers, *b.answers}]:
        remarks.append(f"{', '.join(idle)}: left out, A and B have nothing of it")
    if a.setting and b.setting and a.setting != b.setting:
        remarks.append(f"A is of the setting {a.setting}, B of {b.setting}: they learnt from other sources")
    return Sides(a, b, domains, data, data.name if data else name, remarks)


def _target(result: Result) -> str:
    return result.scenario.target


def _read_file(named: str) -> readers.LabelledFile | None:
    """A file of predictions; None for what is no file, or a record of a run."""
    place = Path(named).expanduser()
    if named != "-":
        if not place.is_file():
            return None
        with place.open("rb") as stream:
            if b'"schema"' in stream.read(200):
                return None
    return readers.read_file(place)


def _find_runs(named: str, known: Sequence[Run], out: Path, data: Benchmark | None) -> list[Run]:
    """The runs of a method, of a row, or those that are called so."""
    if found := [run for run in known if run.result.method.name == named]:
        return found
    method, _, row = named.rpartition("-")
    if len(row) >= _SHORTEST and (
        found := [r for r in known if r.result.method.name == method and r.result.method.row.startswith(row)]
    ):
        return found
    try:
        return find_runs(named, out, data.name if data else "", lambda *_: known)
    except ResultError as error:
        if Path(named).is_file():
            raise
        if not known:
            place = out / "leaderboards" / "results" / (data.name if data else "")
            hint = "make some: cdner-bench run --help; or say where they lie: --out FOLDER"
            raise ResultError(f"there are no results in {place}", hint=hint) from None
        methods = list(dict.fromkeys(run.result.method.name for run in known))
        where = f" of {data.given}" if data else ""
        raise ResultError(
            f"there is no method, row, run or file {named}{where}",
            hint=error.hint
            if "/" in named
            else f"{did_you_mean(named, methods)}; a row, a run and a file can be named too",
        ) from None


def _agree(found: Sequence[_Found], what: str, of: Callable[[Result], str], chosen: str | None) -> None:
    """Keep the results of one benchmark, or of one setting: the one that was chosen, or else the only one that both
    sides have. Without a common setting, each may have a single one of its own. Raises `ResultError` otherwise.
    """
    if not found:
        return
    values = [each.list_values(of) for each in found]
    said = "; ".join(f"{each.named} has results of {', '.join(v)}" for each, v in zip(found, values, strict=True))
    common = sorted(set.intersection(*map(set, values)))
    if chosen is not None:
        for each, has in zip(found, values, strict=True):
            if chosen not in has:
                hint = did_you_mean(chosen, common or has)
                raise ResultError(f"{each.named} has no results of the {what} {chosen}", hint=f"--{what}: {hint}")
        common = [chosen]
    if len(common) > 1:
        raise ResultError(f"{said}: say of which {what}", hint=f"add --{what} {f' or --{what} '.join(common)}")
    if not common:
        if what == "setting" and all(len(v) == 1 for v in values):
            return
        raise ResultError(f"no {what} is common: {said}", hint=f"name two of the same {what}")
    for each in found:
        each.runs = [run for run in each.runs if of(run.result) == common[0]]


def _keep_targets(found: Sequence[_Found], targets: Sequence[str]) -> None:
    known = sorted({target for each in found for target in each.list_values(_target)})
    for target in targets if found else ():
        if target not in known:
            raise OptionError(f"--target {target}: there are no results of it", hint=did_you_mean(target, known))
    for each in found:
        kept = [run for run in each.runs if not targets or _target(run.result) in targets]
        if not kept:
            has = ", ".join(each.list_values(_target))
            raise ResultError(f"{each.named} has no results of {', '.join(targets)}", hint=f"--target: it has {has}")
        each.runs = kept


def _keep_one_row(each: _Found) -> None:
    """Keep one row of a method: the only one that has the options of its preset. Raises `ResultError` if there are
    several, or none.
    """
    rows: dict[str, list[Run]] = {}
    for run in each.runs:
        rows.setdefault(run.result.method.named_row, []).append(run)
    if len(rows) == 1:
        return
    of_method = each.named.partition("/")[0] in each.list_values(lambda result: result.method.name)
    plain = [row for row, runs in rows.items() if of_method and not any(run.result.departures for run in runs)]
    others = name_some([f"{row} ({_describe_row(runs)})" for row, runs in rows.items()])
    if len(plain) != 1:
        raise ResultError(
            f"{each.named} is the name of {len(rows)} rows: {others}", hint=f"name one: {next(iter(rows))}"
        )
    each.runs = rows[plain[0]]
    others = ", ".join(row for row in rows if row != plain[0])
    each.remarks.append(f"{each.named} is read as {plain[0]}, which has the options of its preset; not {others}")


def _describe_row(runs: Sequence[Run]) -> str:
    first = runs[0].result
    targets = ",".join(sorted({_target(run.result) for run in runs}))
    parts = [first.scenario.setting, first.method.preset, first.backbone, targets]
    changed = [f"{name}={first.method.options.get(name)}" for name in first.departures]
    return " ".join(filter(None, [*parts[:3], *changed[:2], *(["…"] if len(changed) > 2 else []), parts[3]]))


def _check_names(data: Benchmark, setting: str | None, targets: Sequence[str]) -> None:
    """Raises `OptionError` for what a benchmark does not have."""
    for target in targets:
        data.domain(target)
    if setting is not None:
        data.setting(setting)


def _tell_apart(found: Sequence[_Found]) -> list[str]:
    """What to call each side: as short as the two are told apart."""
    results = [each.runs[0].result if each.runs else None for each in found]
    forms: Sequence[Callable[[_Found, Result], str]] = (
        lambda _, result: result.method.name,
        lambda _, result: result.method.named_row,
        lambda each, _: each.runs[0].name,
    )
    for form in forms:
        names = [
            form(each, result) if result else readers.show_name(Path(each.named))
            for each, result in zip(found, results, strict=True)
        ]
        if len(set(names)) == len(names):
            return names
    return [each.named for each in found]


def _make_side(each: _Found, name: str, data: Benchmark | None, alone: Sequence[str], targets: Sequence[str]) -> Side:
    """A side; `alone` are the domains that a file without ids may be about."""
    if each.file is not None:
        if data is None:
            raise OptionError(f"{each.named} is judged by a benchmark that is not known", hint="--benchmark FILE.toml")
        return _judge(each.file, name, data, alone, targets)
    results = [run.result for run in each.runs]
    newest = find_newest(results)
    alike = select_alike([r for r in results if r.benchmark.version == newest.benchmark.version])
    row = Row(alike, sorted({_target(result) for result in alike}))
    runs = {run.result.run: run for run in each.runs}
    answers = {
        target: [Answers(r.scores, r.sentences, r.seed, runs[r.run]) for _, r in sorted(row.seeds(target).items())]
        for target in row.targets
        if row.seeds(target)
    }
    holes = {_target(r): _explain(r) for r in alike if not r.finished and _target(r) not in answers}
    if not answers:
        target, why = next(iter(holes.items()))
        again = (
            f"cdner-bench run --benchmark {data.given if data else newest.benchmark.name} --method {newest.method.name}"
        )
        again += f" --setting {newest.scenario.setting} --target {target}"
        again += f" --preset {newest.method.preset}" if newest.method.preset else ""
        raise ResultError(f"{each.named} has no score: {target} {why}", hint=f"type: {again}")
    seeds = sorted({a.seed for each_ in answers.values() for a in each_ if a.seed is not None})
    about = [f"row {newest.method.row}", f"preset {newest.method.preset}" if newest.method.preset else ""]
    about += ["" if newest.backbone == "none" else newest.backbone, newest.scenario.setting]
    about += [f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"]
    return Side(name, ", ".join(filter(None, about)), answers, holes)


def _explain(result: Result) -> str:
    words = "is incomplete" if result.status is Status.INCOMPLETE else "was not run"
    return f"{words}: {result.reason}" if result.reason else words


def _judge(
    file: readers.LabelledFile, name: str, data: Benchmark, alone: Sequence[str], targets: Sequence[str]
) -> Side:
    has_ids = any(item.id for item in file.items)
    target = None if has_ids or len(alone) != 1 else alone[0]
    if target is None and not has_ids:
        known = alone or list(dict.fromkeys(t for setting in data.settings.values() for t in setting.targets))
        raise OptionError(
            f"{name} has no sentence ids, so it needs its domain, and one alone", hint=f"name it: --target {known[0]}"
        )
    judged = judge_by_benchmark(file, data, target, None)
    answers = {}
    for split, ((gold, types), said) in zip(judged.splits, judged.parts, strict=True):
        domain, _, part = split.partition("/")
        if part != SPLITS[-1]:
            hint = "predict the test split; cdner-bench score FILE judges any other"
            raise OptionError(f"{name} is for {split}, and a comparison is over test sentences", hint=hint)
        if not targets or domain in targets:
            scores = score(gold, said, types)
            answers[domain] = [Answers(scores.protocols, scores.sentences, said=said)]
    if not answers:
        raise OptionError(f"{name} has nothing of {', '.join(targets)}", hint="leave out --target")
    return Side(name, f"a file of predictions, read as {file.format}", answers)


def _match(a: Side, b: Side) -> tuple[list[str], list[str]]:
    """The domains on which both answer the same test sentences, and why others are left out."""
    domains, faults = [], []
    left_out: dict[str, list[str]] = {}
    for name in dict.fromkeys([*a.answers, *b.answers, *a.holes, *b.holes]):
        lacking = [
            f"{side.name} {side.holes.get(name, 'has no result')}" for side in (a, b) if name not in side.answers
        ]
        if lacking:
            left_out.setdefault("; ".join(lacking), []).append(name)
        elif differing := list(_find_differences(a.answers[name][0], b.answers[name][0])):
            faults.append(f"{name}: they differ in {' and '.join(differing)}")
        else:
            domains.append(name)
    remarks = [f"left out: {', '.join(names)}: {why}" for why, names in left_out.items()]
    if not domains:
        why = "; ".join(faults) or "they have no target in common; " + "; ".join(remarks)
        hint = "make one of them again as it is today: cdner-bench run" if faults else "name two that share a target"
        raise ResultError(f"{a.name} and {b.name} cannot be compared: {why}", hint=hint)
    return domains, [*remarks, *(f"left out: {fault}" for fault in faults)]


def _find_differences(one: Answers, other: Answers) -> Iterator[str]:
    """What two must share to be compared, and do not."""
    if one.run and other.run:
        mine, theirs = one.run.result, other.run.result
        if mine.benchmark.version != theirs.benchmark.version:
            yield f"the version of the benchmark ({mine.benchmark.version} and {theirs.benchmark.version})"
        if (known := mine.comparable) and (others := theirs.comparable):
            if known.types != others.types:
                yield f"entity types ({', '.join(sorted(set(known.types) ^ set(others.types))) or 'their order'})"
            if known.sentences != others.sentences:
                sizes = ("/".join(map(str, sizes)) for sizes in (known.sentences, others.sentences))
                yield f"sentences of train/dev/test ({' and '.join(sizes)})"
            if known.data != others.data and mine.scenario == theirs.scenario:
                yield f"data ({known.data[:8]} and {others.data[:8]})"
    gold = [[counts.tp + counts.fn for counts in answers.sentences] for answers in (one, other)]
    if gold[0] != gold[1]:
        yield "the gold of their test sentences"


def check_protocol(protocol: str, sides: Sides) -> None:
    """Raises `ResultError` for a protocol that a side was not scored under."""
    for side in (sides.a, sides.b):
        for domain in sides.domains:
            if any(protocol not in answers.scores for answers in side.answers[domain]):
                raise ResultError(
                    f"{side.name} was not scored under {protocol} on {domain}",
                    hint=f"type: cdner-bench rescore --benchmark {sides.benchmark_name}; or leave out --protocol",
                )


def read_corpus(data: Benchmark | None, domain: str, answers: Sequence[Answers]) -> Corpus | str:
    """A domain as the answers saw it, or why it is not here."""
    if data is None:
        return "the benchmark's file is not known (--benchmark FILE.toml)"
    try:
        corpus = data.corpus(domain)
    except CdnerError as error:
        return explain(error)
    gold = [len(sentence.entities) for sentence in corpus.test]
    if any([counts.tp + counts.fn for counts in each.sentences] != gold for each in answers):
        return f"the test sentences of {data.given} here are not those that were answered"
    return corpus


def explain(error: CdnerError) -> str:
    """What is wrong, and what mends it, in one line."""
    return f"{error} ({error.hint})" if error.hint else str(error)
