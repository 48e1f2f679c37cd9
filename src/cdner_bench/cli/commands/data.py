"""`cdner-bench data` fetches, verifies and describes benchmarks."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import OptionError, count, did_you_mean
from ...foreign import show_line
from ...types import HIGHEST_SEED
from ..common import HERE, BenchmarkName, choose_benchmark, make_table, name_command, show
from ..streams import check_output, write_files

if TYPE_CHECKING:
    from ...data import Benchmark

app = typer.Typer(help="CrossNER and CoNLL2003, pinned by SHA-256; benchmarks of one's own.", no_args_is_help=True)
Limit = Annotated[int, typer.Option(help="How many groups of conflicting labels to print.")]


@app.command()
def fetch(benchmark: Annotated[str, typer.Option(metavar="NAME")] = "crossner") -> None:
    """Download a benchmark's files into $CDNER_DATA or the cache; resumes, and keeps only what matches its hash."""
    from ...data import benchmark as benchmarks
    from ...data import download
    from ...io import find_data_dir

    data = benchmarks.load(benchmark)
    for origin in data.origins:
        print(f"licence: {origin.licence}")
    print(f"into {find_data_dir()}", flush=True)
    fetched = 0
    with _open_bars() as progress:
        for path, new in download.fetch(data, progress):
            fetched += new
            if new and not sys.stdout.isatty():
                print(path, flush=True)
    command = name_command("data", "verify", "--benchmark", benchmark)
    print(f"{fetched} files downloaded, the others were here; next: {command}")


@app.command()
def verify(benchmark: BenchmarkName = None) -> None:
    """Assert hashes, counts and types of every file."""
    data = choose_benchmark(benchmark)
    for domain in data.domains:
        data.corpus(domain)
    files = list(data.list_files())
    missing = [file for file in files if not file.location.is_file()]
    print(f"{len(files) - len(missing)} files are as declared: hashes, sentences, tokens, entities, types")
    if missing:
        print(f"not here: {', '.join(file.path for file in missing)}; only methods that read them miss them")
        for remedy in dict.fromkeys(file.remedy for file in missing):
            print(f"to have them, {remedy}")


@app.command()
def stats(benchmark: BenchmarkName = None) -> None:
    """Sentences, tokens, entities and types of every split (Table 8 of the TOPT paper)."""
    from ...data import audit

    data = choose_benchmark(benchmark)
    headers = (
        "domain",
        "split",
        "sentences",
        "tokens",
        "entities",
        "types",
        "words/entity",
        "without entities",
    )
    shown = make_table(*headers, title=data.title, right=6, keep=("split",))
    for s in audit.count_splits(data):
        counts = (s.sentences, s.tokens, s.entities, s.types)
        shown.add_row(
            s.domain,
            s.split,
            *(f"{n:,}" for n in counts),
            f"{s.words_per_entity:.2f}",
            f"{s.without_entities:,}",
        )
    show(shown)
    _print_remarks(data)


@app.command("audit")
def audit_(benchmark: BenchmarkName = None, show_conflicts: Limit = 5) -> None:
    """Duplicates across splits and domains, conflicting labels, the share of test mentions seen in training, and the F1
    of a dictionary of these (the method gazetteer), below which a method has learnt nothing.
    """
    from ...data import audit
    from ...scoring import measure_floor

    data = choose_benchmark(benchmark)
    shared = make_table("split", "also in", "sentences", title="Sentences that stand in two splits", right=1)
    for overlap in audit.find_overlaps(data):
        shared.add_row(overlap.one, overlap.other, str(overlap.sentences))
    seen = make_table(
        "domain",
        "text and type",
        "text",
        "F1 of a dictionary",
        title="Share of test mentions seen in the domain's train split, and what a dictionary of these reaches",
        right=3,
        keep=("F1 of a dictionary",),
    )
    for share in audit.measure_seen(data):
        floor = measure_floor(data.corpus(share.domain)).f1
        seen.add_row(share.domain, f"{share.with_type:.1%}", f"{share.text_only:.1%}", f"{floor:.2f}")
    conflicts = audit.find_conflicts(data)
    first = conflicts[:show_conflicts]
    title = f"{count(len(conflicts), 'group')} of identical sentences carry different labels"
    if len(first) < len(conflicts):
        title += f"; {len(first)} of them, all with --show-conflicts {len(conflicts)}"
    groups = make_table("sentence", "where", title=title)
    for conflict in first:
        groups.add_row(conflict.text[:80], ", ".join(conflict.ids))
    show(shared, seen, groups if first else title)
    _print_remarks(data)


def _print_remarks(data: Benchmark) -> None:
    from ...data import audit

    long = [remark for name in data.domains for remark in audit.describe_long(data.corpus(name))]
    for remark in [*long, *audit.describe_own(data, data.domains)]:
        print(f"note: {remark}")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="What the domain and its benchmark are called.")],
    train: Annotated[Path, typer.Option(help="Labelled sentences in any of the formats of docs/formats.md.")],
    dev: Annotated[Path | None, typer.Option(help="Without it, dev is drawn from --train.")] = None,
    test: Annotated[Path | None, typer.Option(help="Without it, test is drawn from --train.")] = None,
    sample: Annotated[
        int | None,
        typer.Option(help="How many sentences to learn from (CrossNER: 100 to 200); else all that are not drawn."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of what is drawn.", min=0, max=HIGHEST_SEED)] = 0,
    extends: Annotated[
        str | None, typer.Option(help="The benchmark whose domains are learnt from.", metavar="NAME")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder to write to.", metavar="DIR")] = HERE,
    format: Annotated[str | None, typer.Option("--format", help="What the files are.", metavar="NAME")] = None,
    scheme: Annotated[str | None, typer.Option(help="The scheme of their tags.", metavar="NAME")] = None,
) -> None:
    """Make a benchmark out of labelled sentences of one's own: NAME.toml and the files of its splits."""
    from ...data import audit, making, readers
    from ...data import benchmark as benchmarks

    base = benchmarks.load(extends) if extends else benchmarks.choose_default()[0]
    paths = {"train": train, "dev": dev, "test": test}
    files = {split: readers.read_file(path, format, scheme) for split, path in paths.items() if path is not None}
    for file in files.values():
        print("; ".join((str(file), *file.remarks)))
    path = making.create(name, files, base, out, sample, seed)
    data = benchmarks.load(str(path))
    corpus = data.corpus(name)
    sizes = ", ".join(f"{split} {len(getattr(corpus, split)):,}" for split in benchmarks.SPLITS)
    print(f"wrote {path}: {sizes} sentences; {len(corpus.types)} types")
    for remark in audit.describe_splits(corpus):
        print(f"note: {remark}")
    print(f"next: cdner-bench data audit --benchmark {shlex.quote(str(path))}")
    print(f"      cdner-bench run --benchmark {shlex.quote(str(path))} --method gazetteer --setting single")


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="Labelled sentences in any of the formats of docs/formats.md.")],
    to: Annotated[str, typer.Option(help="bio, jsonl, character-spans or brat.", metavar="NAME")],
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write; else standard output. brat needs it: the name before .txt and .ann."),
    ] = None,
    format: Annotated[str | None, typer.Option("--format", help="What the file is.", metavar="NAME")] = None,
    scheme: Annotated[str | None, typer.Option(help="The scheme of its tags.", metavar="NAME")] = None,
) -> None:
    """Turn a file of labelled sentences into another format; says what could not be carried."""
    from ...data import readers

    if to not in readers.WRITERS:
        raise OptionError(f"there is no format {to!r}", hint=did_you_mean(to, readers.WRITERS))
    found = readers.read_file(file, format, scheme)
    written = readers.convert(found, to)
    if out is None and len(written.files) > 1:
        raise OptionError(f"{to} is several files", hint="name them: --out NAME")
    if out is not None:
        check_output("--out", out, to, file)
    write_files(written.files, out, to)
    for line in (str(found), *found.notes, *written.losses):
        print(line, file=sys.stderr)


@contextmanager
def _open_bars() -> Iterator[Callable[[str, int, int | None], None]]:
    """A progress bar a file on a terminal, nothing elsewhere."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from ..terminal import Terminal

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Terminal(), disable=not sys.stdout.isatty()) as progress:
        add = cache(lambda path: progress.add_task(show_line(path)))
        yield lambda path, have, size: progress.update(add(path), completed=have, total=size)
