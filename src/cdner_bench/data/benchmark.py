"""A benchmark: everything that must be equal for two scores to be comparable, read from a TOML file and verified.

`benchmarks/*.toml` holds the shipped ones. A user's own file may build on one (`extends = "crossner"`), so that a new
target domain needs three paths and no code; there, types, hashes and counts may be left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import CdnerError, DataError, OptionError, did_you_mean
from ..hashing import digest
from ..io import TomlTable, check_relative, find_benchmarks_dir, find_data_dir, models, sha256
from ..names import check_domain, check_name
from ..types import Corpus, Scenario, Sentence
from .addresses import check_address
from .dictionaries import PARTS, Package
from .readers import list_parts, read_sentences
from .shots import Shots, read_shots

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class DataFile:
    """One file, and what it must be if that was declared. `path` is relative to `root`. `fetched_by` is the benchmark
    that fetches it, if it is none of the user's own.
    """

    root: Path
    path: str
    sha256: str | None = None
    sentences: int | None = None
    tokens: int | None = None
    entities: int | None = None
    fetched_by: str | None = None

    @property
    def location(self) -> Path:
        """Where the file should lie."""
        return self.root / self.path

    def is_present(self) -> bool:
        """Whether it is there, and in a place that may be looked into."""
        return os.path.isfile(self.location)

    @property
    def remedy(self) -> str:
        """What to do where it is missing."""
        if self.fetched_by is None:
            return "put it there, or correct its path in the benchmark file"
        fetch = f"cdner-bench data fetch --benchmark {self.fetched_by}"
        return f"type: {fetch}, or set CDNER_DATA to the directory that holds it"

    def hash(self) -> str:
        """The SHA-256 of the file, or of labels and their text where these are two files. Raises `DataError` if it is
        missing or not the pinned one, and for a pin on one of two files.
        """
        if not self.is_present():
            raise DataError(f"there is no file {self.location}", hint=self.remedy)
        parts = list_parts(self.location)
        if len(parts) > 1:
            if self.sha256 is not None:
                said = f"{self.location} is pinned by its sha256, and {parts[1].name}, which it is about, is not"
                to = f"cdner-bench data convert {self.location} --to jsonl --out {self.location.stem}.jsonl"
                raise DataError(said, hint=f"leave sha256 out, or pin one file: {to}")
            return digest(list(map(sha256, parts)))
        actual = sha256(self.location)
        if self.sha256 is not None and actual != self.sha256:
            wrong = f"SHA-256 {actual[:12]}…, pinned {self.sha256[:12]}…"
            if self.fetched_by is None:
                mend = "bring back the file as it was, or correct its sha256 in the benchmark file"
                raise DataError(f"{self.location} is not the file that was pinned: {wrong}", hint=mend)
            mend = f"remove it and type: cdner-bench data fetch --benchmark {self.fetched_by}"
            raise DataError(f"{self.location} is not the published file: {wrong}", hint=mend)
        return actual


@dataclass(frozen=True)
class Domain:
    """One domain of a benchmark: its declared types (none: whatever its files use), splits and other files. `labels`
    has other words for types of its files; these are its types everywhere else.
    """

    name: str
    title: str
    types: tuple[str, ...] | None
    splits: Mapping[str, DataFile]
    resources: Mapping[str, DataFile]
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_own(self) -> bool:
        """Whether it is somebody's own: none of its files is pinned, so nobody else has looked at them."""
        return not any(file.sha256 for file in self.splits.values())


@dataclass(frozen=True)
class Setting:
    """Which sources go with which targets. A target is never its own source. `shots`: with a part of its labels."""

    title: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    shots: Shots | None = None


@dataclass(frozen=True)
class Origin:
    """Where files whose path starts with `prefix` come from: below a `url`, or made from a `package`."""

    prefix: str
    licence: str
    url: str = ""
    package: Package | None = None


@dataclass(frozen=True)
class Benchmark:
    """Named, versioned data and scenarios. Files are read, and checked, when first asked for. `given` is what names it
    on the command line: `name` if it is shipped, else the path of its file. One with a `limit` is another's first
    trial: no split has more sentences. `board` says of methods which options, beside a preset's, rows of its boards may
    have; None: all rows are the board's. `public` is the month since which anybody could read its test sentences with
    their labels, "" if it does not say.
    """

    name: str
    given: str
    version: str
    title: str
    preset: str | None
    domains: Mapping[str, Domain]
    settings: Mapping[str, Setting]
    origins: tuple[Origin, ...] = ()
    deduplicate: bool = False
    limit: int | None = None
    board: Mapping[str, Sequence[frozenset[str]]] | None = None
    public: str = ""
    _read: dict[str, Corpus] = field(default_factory=dict, repr=False, compare=False)

    def cut_to(self, limit: int) -> Benchmark:
        """The first trial of this benchmark, with at most `limit` sentences of each split. It has a name of its own, so
        that its results lie apart and are ranked with no others. Raises `OptionError` for a limit that leaves nothing.
        """
        if limit < 1:
            raise OptionError(f"--limit {limit}: a trial has one sentence at least", hint="write --limit 20")
        if self.limit is not None:
            raise OptionError(f"{self.given} has at most {self.limit} sentences already", hint="leave out --limit")
        name, given = (f"{text}-limit{limit}" for text in (self.name, self.given))
        cut = replace(self, name=name, given=given, limit=limit)
        return replace(cut, title=f"{self.title} ({cut.remark})")

    @property
    def remark(self) -> str:
        """What whoever reads a score has to know of the data; nothing for a whole benchmark."""
        return f"first trial: {self.limit} sentences of each split; no result to cite" if self.limit else ""

    def list_scenarios(self, setting: str, targets: Iterable[str] = ()) -> list[Scenario]:
        """The transfer experiments of a setting, all of its targets or the named ones.

        Raises `OptionError` for an unknown setting or target.
        """
        chosen = self.setting(setting)
        wanted = list(dict.fromkeys(targets)) or list(chosen.targets)
        for target in wanted:
            if target not in chosen.targets:
                raise OptionError(f"{self.given} has no target {target!r}", hint=did_you_mean(target, chosen.targets))
        return [Scenario(setting, tuple(s for s in chosen.sources if s != t), t) for t in wanted]

    def setting(self, name: str) -> Setting:
        """A setting by name, written in its file or one of those with fewer labels. Raises `OptionError` with the
        nearest one.
        """
        if (found := self.find_setting(name)) is None:
            several = "," in name and all(self.find_setting(part.strip()) for part in name.split(","))
            hint = "there is one at a time: type the command for each" if several else None
            raise OptionError(f"{self.given} has no setting {name!r}", hint=hint or did_you_mean(name, self.settings))
        return found

    def find_setting(self, name: str) -> Setting | None:
        """A setting by name; None if there is no such."""
        if name in self.settings or (named := read_shots(name)) is None or named[0] not in self.settings:
            return self.settings.get(name)
        base, shots = self.settings[named[0]], named[1]
        return replace(base, title=f"{base.title}: {shots.title}", shots=shots)

    def domain(self, name: str) -> Domain:
        """A domain by name. Raises `OptionError` with the nearest one."""
        try:
            return self.domains[name]
        except KeyError:
            raise OptionError(f"{self.given} has no domain {name!r}", hint=did_you_mean(name, self.domains)) from None

    def corpus(self, name: str) -> Corpus:
        """One domain, read and checked against its hashes, counts and types; resources that are absent are left out.

        Raises `DataError` naming the file, and the line where there is one.
        """
        if name not in self._read:
            domain = self.domain(name)
            splits = {split: _read_split(domain, split) for split in SPLITS}
            types = domain.types or tuple(
                sorted({e.type for sentences in splits.values() for s in sentences for e in s.entities})
            )
            _check_labels(domain, types)
            splits = {split: _relabel(sentences, domain.labels) for split, sentences in splits.items()}
            types = tuple(domain.labels.get(kind, kind) for kind in types)
            self._read[name] = Corpus(
                name, types, splits["train"], splits["dev"], splits["test"], resources=_find_resources(domain)
            )
        corpus = self._read[name]
        if self.deduplicate:
            corpus = self._without_test_sentences(corpus)
        if self.limit is None:
            return corpus
        train, dev, test = (_shuffle(getattr(corpus, split))[: self.limit] for split in SPLITS)
        return replace(corpus, train=train, dev=dev, test=test)

    def draw(self, scenario: Scenario, seed: int) -> Corpus:
        """The target of a scenario as a run with this seed sees it: all of it, or a part of its labels.

        Raises `OptionError` if it has fewer labelled sentences than the setting says.
        """
        corpus, shots = self.corpus(scenario.target), self.setting(scenario.setting).shots
        if shots is None:
            return corpus
        if len(corpus.train) < shots.number:
            raise OptionError(
                f"--shots {shots.number}: {scenario.target} has {len(corpus.train)} labelled sentences",
                hint="name fewer, or leave --shots out for all of them",
            )
        return shots.draw(corpus, seed)

    def _without_test_sentences(self, corpus: Corpus) -> Corpus:
        """Train and dev without the sentences that stand, token for token, in the test split of any target."""
        plain = replace(self, deduplicate=False, limit=None)
        targets = dict.fromkeys(target for setting in self.settings.values() for target in setting.targets)
        tested = frozenset(s.tokens for target in targets for s in plain.corpus(target).test)
        train, dev = (tuple(s for s in split if s.tokens not in tested) for split in (corpus.train, corpus.dev))
        removed = frozenset(digest(s.text) for s in corpus.train if s.tokens in tested)
        return replace(corpus, train=train, dev=dev, removed=removed)

    def has_on_board(self, method: str, departures: Iterable[str]) -> bool:
        """Whether a row stands on a board, of a method with these options that are not its preset's."""
        own = frozenset(departures)
        return self.board is None or not own or own in self.board.get(method, ())

    def is_present(self) -> bool:
        """Whether the files of every domain are there (their content is checked when they are read)."""
        return all(file.is_present() for domain in self.domains.values() for file in domain.splits.values())

    def fingerprint(self, scenario: Scenario, resources: Iterable[str] = ()) -> str:
        """SHA-256 over everything that a run of `scenario` can see: files, the named `resources`, declared types."""
        files = self._list_visible(scenario, resources)
        hashes = {
            f"{name}/{key}": file.hash() for (name, key), file in files.items() if key in SPLITS or file.is_present()
        }
        return self._digest(scenario, hashes)

    def pinned_fingerprint(self, scenario: Scenario, resources: Iterable[str] = ()) -> str:
        """What `fingerprint` is where all files are there, told from the declared hashes without reading any file."""
        return self._digest(scenario, self.pinned_hashes(scenario, resources))

    def pinned_hashes(self, scenario: Scenario, resources: Iterable[str] = ()) -> dict[str, str | None]:
        """The declared SHA-256 of each file that a run of a scenario can see, by domain/split and domain/resource."""
        return {f"{name}/{key}": file.sha256 for (name, key), file in self._list_visible(scenario, resources).items()}

    def _list_visible(self, scenario: Scenario, resources: Iterable[str]) -> dict[tuple[str, str], DataFile]:
        """The files that a run of a scenario can see, by domain and split or resource."""
        named = tuple(resources)
        return {
            (name, key): file
            for name in (*scenario.sources, scenario.target)
            for key, file in (*self.domain(name).splits.items(), *self.domain(name).resources.items())
            if key in named or (key in SPLITS and (key != "test" or name == scenario.target))
        }

    def _digest(self, scenario: Scenario, hashes: Mapping[str, str | None]) -> str:
        names = (*scenario.sources, scenario.target)
        types = {f"{name}/types": self.domain(name).types for name in names}
        labels = {f"{name}/labels": dict(given) for name in names if (given := self.domain(name).labels)}
        limit: dict[str, object] = {"limit": self.limit} if self.limit else {}
        if shots := self.setting(scenario.setting).shots:
            limit |= {"shots": shots.number, "full_dev": shots.full_dev}
        return digest({"deduplicate": self.deduplicate, **limit, **types, **labels, **hashes})

    def list_files(self) -> Iterator[DataFile]:
        """Every file of every domain."""
        for domain in self.domains.values():
            yield from domain.splits.values()
            yield from domain.resources.values()


def list_shipped() -> dict[str, Path]:
    """The shipped benchmarks by name."""
    return {path.stem: path for path in sorted(find_benchmarks_dir().glob("*.toml"))}


def load(name: str) -> Benchmark:
    """A shipped benchmark by name, or anyone's by the path of its TOML file; with `-limit20` behind, its first trial.

    Raises `OptionError` for an unknown name, `DataError` for a file that does not say what it must.
    """
    shipped = list_shipped()
    if name in shipped:
        return _parse(shipped[name], name)
    if name.endswith(".toml"):
        made = _parse(Path(name), name)
        if made.name in shipped and Path(name).resolve() != shipped[made.name].resolve():
            hint = "give it a name of its own, by which its results are told from those of the shipped one"
            raise DataError(f"{name}: {made.name} is the name of a shipped benchmark", hint=hint)
        return made
    if trial := re.fullmatch(r"(.+)-limit(\d{1,9})", name):
        return load(trial[1]).cut_to(int(trial[2]))
    raise OptionError(f"unknown benchmark {name!r}", hint=f"{did_you_mean(name, shipped)}, or name a .toml file")


def find(name: str) -> Benchmark | None:
    """The benchmark that a result names, if it is a shipped one or the first trial of one; None for somebody's own,
    whose file the result does not name.
    """
    try:
        return load(name)
    except CdnerError:
        return None


def describe_unshipped(name: str) -> tuple[str, str]:
    """That a benchmark is none of the shipped ones, and what to type."""
    return f"the benchmark {name} is not shipped", "name its file: --benchmark FILE.toml"


def load_recorded(name: str) -> Benchmark:
    """As `find`. Raises `OptionError` if there is none."""
    found = find(name)
    if found is None:
        said, mend = describe_unshipped(name)
        own = "a target of --target-data has none, and its runs are made again by their own command with --out again"
        raise OptionError(said, hint=f"{mend}; {own}")
    return found


def choose_default() -> tuple[Benchmark, str]:
    """The benchmark to use when none is named, and why: crossner where its data is present, else the shipped sample.

    Raises `DataError` where that would be another benchmark than somebody means to have: a part of CrossNER is there,
    or `CDNER_DATA` names no folder.
    """
    crossner = load("crossner")
    files = [file for domain in crossner.domains.values() for file in domain.splits.values()]
    missing = [file for file in files if not file.is_present()]
    if not missing:
        return crossner, f"its data is in {find_data_dir()}"
    other = "or name the benchmark that you mean: --benchmark mini"
    if "CDNER_DATA" in os.environ and not find_data_dir().is_dir():
        raise DataError(f"CDNER_DATA is {find_data_dir()}, which is no folder", hint=f"correct it, {other}")
    if len(missing) < len(files):
        raise DataError(
            f"{len(missing)} of CrossNER's {len(files)} files are not here: {missing[0].location}",
            hint=f"type: cdner-bench data fetch, {other}",
        )
    return load("mini"), "the CrossNER data is not here; cdner-bench data fetch downloads it"


def _read_split(domain: Domain, split: str) -> tuple[Sentence, ...]:
    file = domain.splits[split]
    file.hash()
    sentences = read_sentences(file.location, f"{domain.name}/{split}", domain.types)
    if not sentences:
        raise DataError(f"{file.location} has no sentences")
    counts = {
        "sentences": len(sentences),
        "tokens": sum(len(s.tokens) for s in sentences),
        "entities": sum(len(s.entities) for s in sentences),
    }
    for what, number in counts.items():
        declared = getattr(file, what)
        if declared is not None and declared != number:
            raise DataError(f"{file.location} has {number} {what}, declared are {declared}")
    return tuple(sentences)


def _shuffle(sentences: Sequence[Sentence]) -> tuple[Sentence, ...]:
    """Sentences in an order that is no file's, and the same whenever and by whomever it is asked for."""
    return tuple(sorted(sentences, key=lambda sentence: digest(sentence.id)))


def _check_labels(domain: Domain, types: Sequence[str]) -> None:
    for kind, word in domain.labels.items():
        if kind not in types:
            raise DataError(f"domains.{domain.name}.labels: there is no type {kind!r}", hint=did_you_mean(kind, types))
        if word in types or list(domain.labels.values()).count(word) > 1:
            raise DataError(f"domains.{domain.name}.labels: {word!r} stands for two types")


def _relabel(sentences: Sequence[Sentence], labels: Mapping[str, str]) -> tuple[Sentence, ...]:
    if not labels:
        return tuple(sentences)
    return tuple(
        replace(s, entities=tuple(replace(e, type=labels.get(e.type, e.type)) for e in s.entities)) for s in sentences
    )


def _find_resources(domain: Domain) -> dict[str, Path]:
    present = {name: file for name, file in domain.resources.items() if file.is_present()}
    for file in present.values():
        file.hash()
    return {name: file.location for name, file in present.items()}


# --- reading the TOML file -------------------------------------------------------------------------------------------


def _load_base(reader: TomlTable, path: Path, seen: tuple[Path, ...]) -> Benchmark:
    name = reader.take("extends", str)
    place = list_shipped().get(name, path.parent / name)
    given = name if name in list_shipped() else str(place)
    if place.suffix != ".toml":
        raise OptionError(f"{path}: extends: unknown benchmark {name!r}", hint=did_you_mean(name, list_shipped()))
    if place.resolve() in (*seen, path.resolve()):
        raise DataError(f"{path}: extends {name!r}, which extends it in turn")
    return _parse(place, given, (*seen, path.resolve()))


def _parse(path: Path, given: str, seen: tuple[Path, ...] = ()) -> Benchmark:
    reader = TomlTable.read(path)
    base = _load_base(reader, path, seen) if reader.has("extends") else None
    origins = tuple(_read_origin(sub) for sub in reader.take_tables("fetch"))
    where = _Where(find_data_dir(), given) if origins else _Where(path.resolve().parent, None)
    domains = {name: _read_domain(name, sub, where) for name, sub in reader.take_named("domains")}
    settings = {name: _read_setting(sub) for name, sub in reader.take_named("settings")}
    name = reader.take("name", str)
    version = reader.take("version", str, base.version if base else "1")
    preset = reader.take("preset", str, (base.preset or "") if base else "") or None
    resources = [resource for domain in domains.values() for resource in domain.resources]
    named = {"benchmark": [name], "version": [version], "preset": [preset] if preset else [], "domain": domains}
    for kind, chosen in {**named, "setting": settings, "resource": resources}.items():
        for each in chosen:
            (check_domain if kind == "domain" else check_name)(each, f"{path}: a {kind}", DataError)
    benchmark = Benchmark(
        name=name,
        given=given,
        version=version,
        title=reader.take("title", str, name),
        preset=preset,
        domains={**(base.domains if base else {}), **domains},
        settings=_complete(settings, domains, base),
        origins=origins or (base.origins if base else ()),
        deduplicate=reader.take("deduplicate", bool, base.deduplicate if base else False),
        board=_read_board(reader) if reader.has("board") else None,
        public=reader.take("public", str, base.public if base and not domains else ""),
    )
    if benchmark.public:
        models.check_month(benchmark.public, f"{path}: public")
    reader.finish()
    for key, setting in {**settings, **benchmark.settings}.items():  # what is written is refused before what it implies
        for domain in (*setting.sources, *setting.targets):
            if domain not in benchmark.domains:
                raise DataError(
                    f"{path}: settings.{key} names {domain!r}", hint=did_you_mean(domain, benchmark.domains)
                )
    return benchmark


def _complete(written: dict[str, Setting], own: Mapping[str, Domain], base: Benchmark | None) -> dict[str, Setting]:
    """The settings of a file. One that declares domains has `single` and `multi` though it does not write them. Their
    targets are those of the settings that it writes, else its domains, of which the first is the source of `single`
    where it builds on no benchmark. Else sources are those of the benchmark, and for `multi` its own domains too.
    """
    if not own:
        return written or dict(base.settings if base else {})
    first, *others = own
    named = dict.fromkeys(target for setting in written.values() for target in setting.targets)
    targets = tuple(named or (own if base or not others else others))
    implied = {}
    for name, added in {"single": () if base else (first,), "multi": tuple(own)}.items():
        theirs = base.settings[name].sources if base and name in base.settings else ()
        sources = tuple(dict.fromkeys((*theirs, *added)))
        title = describe_transfer([source for source in sources if (source,) != targets], targets)
        implied[name] = Setting(title, sources, targets)
    return implied | written


def describe_transfer(sources: Sequence[str], targets: Sequence[str]) -> str:
    """A title of a setting that has none."""
    return f"{' + '.join(sources) or 'nothing'} → {', '.join(targets)}"


def _read_board(reader: TomlTable) -> dict[str, Sequence[frozenset[str]]]:
    board: dict[str, Sequence[frozenset[str]]] = {}
    for method, rows in reader.take("board", dict).items():
        lists = isinstance(rows, list) and all(isinstance(options, list) for options in rows)
        if not lists or not all(isinstance(name, str) for options in rows for name in options):
            raise DataError(f'{reader.path}: board.{method} is a list of lists of options, as [["model", "shots"]]')
        board[method] = list(map(frozenset, rows))
    return board


def _read_origin(table: TomlTable) -> Origin:
    prefix, licence = table.take("prefix", str), table.take("licence", str)
    where = f"{table.path}: {table.prefix}"
    if prefix:
        check_relative(prefix.removesuffix("/"), f"{where}prefix")
    if table.has("package"):
        named = {key: table.take(key, str) for key in PARTS}
        for key, value in named.items():
            if not re.fullmatch(PARTS[key], value):
                raise DataError(f"{where}{key} cannot be {value!r}")
        origin = Origin(prefix, licence, package=Package(*named.values()))
    else:
        origin = Origin(prefix, licence, url=check_address(table.take("url", str), f"{where}url"))
    table.finish()
    return origin


@dataclass(frozen=True)
class _Where:
    """The folder that paths are relative to, and the benchmark that fetches the files, if one does."""

    root: Path
    fetched_by: str | None


def _read_domain(name: str, table: TomlTable, where: _Where) -> Domain:
    types = table.take_texts("types") if table.has("types") else ()
    labels = table.take("labels", dict, {})
    if not all(isinstance(word, str) and word.strip() for word in labels.values()):
        raise DataError(f"{table.path}: {table.prefix}labels: a label is a word or several")
    resources = TomlTable(table.path, f"{table.prefix}resources.", table.take("resources", dict, {}))
    domain = Domain(
        name=name,
        title=table.take("title", str, name),
        types=types or None,
        splits={split: _read_file(table.take(split, (str, dict)), where, table, split) for split in SPLITS},
        resources={
            resource: _read_file(resources.take(resource, (str, dict)), where, resources, resource)
            for resource in resources.values
        },
        labels=labels,
    )
    table.finish()
    return domain


def _read_file(value: Any, where: _Where, table: TomlTable, key: str) -> DataFile:
    if isinstance(value, str):
        return DataFile(where.root, value, fetched_by=where.fetched_by)
    entry = TomlTable(table.path, f"{table.prefix}{key}.", value)
    counts = {name: entry.take(name, int) for name in ("sentences", "tokens", "entities") if entry.has(name)}
    pinned = entry.take("sha256", str) if entry.has("sha256") else None
    file = DataFile(where.root, entry.take("path", str), pinned, **counts, fetched_by=where.fetched_by)
    entry.finish()
    return file


def _read_setting(table: TomlTable) -> Setting:
    setting = Setting(
        title=table.take("title", str, table.prefix.rstrip(".").rpartition(".")[2]),
        sources=table.take_texts("sources"),
        targets=table.take_texts("targets", least=1),
    )
    table.finish()
    return setting
