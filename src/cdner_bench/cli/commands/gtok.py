"""`cdner-bench gtok` makes, cleans and checks corpora of explanations."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import DataError, OptionError, did_you_mean
from ..common import BenchmarkName, choose_benchmark, make_table, show

if TYPE_CHECKING:
    from rich.table import Table

    from ...knowledge import Report, Statistics
    from ...llm import Endpoint

app = typer.Typer(help="Corpora of explanations (GTOK): make, clean, count and check them.", no_args_is_help=True)
CorpusFile = Annotated[Path, typer.Argument(help="A GTOK corpus: a JSON list of records.", metavar="FILE")]
DOMAIN = typer.Option(help="The domain the corpus is about.", metavar="NAME")
DomainName = Annotated[str | None, DOMAIN]
SHOWN = 100  # characters of a detail
KEPT = ("type", "fail rate")


@app.command()
def generate(
    domain: Annotated[str, typer.Option(help="Whose train split is explained.", metavar="NAME")],
    llm: Annotated[str, typer.Option(help="local, hf:NAME, or the URL of an OpenAI-compatible server.")],
    out: Annotated[Path, typer.Option(help="Where the corpus goes.", metavar="FILE")],
    benchmark: BenchmarkName = None,
    model: Annotated[str | None, typer.Option(help="The model's name at a URL; smollm2 with local.")] = None,
    wording: Annotated[str, typer.Option(help="The prompt: of the released code, or of the paper.")] = "released",
    temperature: Annotated[str, typer.Option(help="0 to 2, or none: the server's own.", metavar="NUMBER")] = "0.1",
    top_p: Annotated[str, typer.Option(help="0 to 1, or none: the server's own.", metavar="NUMBER")] = "0.95",
    max_tokens: Annotated[int, typer.Option(help="The length of an explanation.", min=1)] = 512,
    concurrency: Annotated[int, typer.Option(help="Requests at a time.", min=1)] = 4,
    max_cost: Annotated[float | None, typer.Option(help="Stop before so many US dollars are spent.")] = None,
    price_in: Annotated[float | None, typer.Option(help="US dollars for a million tokens read.", min=0)] = None,
    price_out: Annotated[float | None, typer.Option(help="US dollars for a million tokens written.", min=0)] = None,
    key_variable: Annotated[str, typer.Option(help="The environment variable with the key.")] = "OPENAI_API_KEY",
    served_by: Annotated[str | None, typer.Option(help="The name under which the server counts.")] = None,
    store: Annotated[Path, typer.Option(help="The folder of answers; what is in it is not asked again.")] = Path(
        "runs/answers"
    ),
) -> None:
    """Ask a language model why each entity of a train split has its type. Interrupted, it goes on where it stopped."""
    from ...knowledge import generation, gtok
    from ...llm import Client, Limits, Store, make_price

    if wording not in generation.WORDINGS:
        raise OptionError(f"unknown wording {wording!r}", hint=did_you_mean(wording, generation.WORDINGS))
    price = make_price(price_in, price_out)
    data = choose_benchmark(benchmark)
    corpus = data.corpus(data.domain(domain).name)
    endpoint = _choose_endpoint(llm, model, key_variable, concurrency, served_by)
    ledger = out.with_name(f".{out.name}.requests")
    client = Client(endpoint, Store(store), Limits(concurrency, max_cost=max_cost), ledger=ledger, price=price)
    sampling = generation.Sampling(
        wording, _read_share("temperature", temperature, 2), _read_share("top-p", top_p, 1), max_tokens
    )
    questions = generation.make_questions(corpus, endpoint, sampling)
    print(f"{domain}, {endpoint.model}: {client.estimate(questions, 4 * max_tokens)}", flush=True)
    records = []
    with _open_bar(len(corpus.train)) as advance:
        for record in generation.generate(corpus, client, sampling):
            records.append(record)
            advance()
    gtok.write(out, records)
    ledger.unlink(missing_ok=True)
    usage = client.usage(wording)
    print(f"{out}: {sum(usage.states.values())} answers, {dict(usage.states)}, {usage.tokens_out:,} tokens out")
    if usage.mixed:
        print(f"they do not come from one model in one state: {usage.model} {usage.fingerprint}")
    words = ["cdner-bench", "gtok", "clean", str(out), "--out", str(out), "--domain", domain]
    print(f"next: {shlex.join([*words, '--benchmark', benchmark or data.name])}")


@app.command()
def clean(
    file: CorpusFile,
    out: Annotated[Path, typer.Option(help="Where the clean corpus goes.", metavar="FILE")],
    domain: DomainName = None,
    benchmark: BenchmarkName = None,
    rules: Annotated[Path | None, typer.Option(help="Rules instead of the shipped ones.", metavar="TOML")] = None,
    report: Annotated[Path | None, typer.Option(help="Write what was done as JSON.", metavar="FILE")] = None,
) -> None:
    """Apply rules to a corpus; with --domain, also take out what leaks the dev or test split."""
    from ...knowledge import cleaning

    if benchmark is not None and domain is None:
        raise OptionError("--benchmark needs --domain", hint="add --domain NAME, or leave --benchmark out")
    read = cleaning.read_rules(rules)
    corpus = choose_benchmark(benchmark).corpus(domain) if domain is not None else None
    done = cleaning.clean_file(file, out, read, corpus, report)
    show(_tabulate_effects(done), *_tabulate_drops(done))
    print(
        f"{done.explanations[1]} of {done.explanations[0]} explanations "
        f"in {done.records[1]} of {done.records[0]} records are kept: {out}"
    )


@app.command()
def stats(
    benchmark: BenchmarkName = None,
    corpus: Annotated[Path | None, typer.Option(help="Count this file instead.", metavar="FILE")] = None,
    domain: DomainName = None,
) -> None:
    """Tokens, explanations and fail rates (Tables 1 and 3 of the TOPT paper), of a benchmark's corpora or of one."""
    from ... import knowledge
    from ...knowledge import gtok

    if corpus is not None and domain is None:
        raise OptionError("--corpus needs --domain", hint="add --domain NAME, the domain the file is about")
    data = choose_benchmark(benchmark)
    counted = []
    for name in [domain] if domain is not None else data.domains:
        of = data.corpus(name)
        path = corpus or of.resources.get("gtok")
        if path is not None:
            records = gtok.records(path)
            alien = next((e.type for r in records for e in r.explanations if e.type not in of.types), None)
            if alien:
                raise DataError(f"{path} is not about {name}, which has no type {alien!r}", hint="check --domain")
            counted.append(knowledge.statistics(records, of))
    if not counted:
        declared = [domain.resources["gtok"] for domain in data.domains.values() if "gtok" in domain.resources]
        fetched = next(
            (f"type: cdner-bench data fetch --benchmark {f.fetched_by}, or " for f in declared if f.fetched_by), ""
        )
        raise DataError(f"{data.given} has no GTOK corpora here", hint=f"{fetched}add --corpus FILE --domain NAME")
    show(_tabulate_totals(counted), _tabulate_fail_rates(counted))


@app.command()
def check(file: CorpusFile, domain: Annotated[str, DOMAIN], benchmark: BenchmarkName = None) -> None:
    """Refuse a corpus that knows sentences or entities of the dev or test split."""
    from ...knowledge import leaks

    findings = leaks.check(file, choose_benchmark(benchmark).corpus(domain))
    if findings:
        shown = make_table("record", "entity", "type", "why", "what")
        for f in findings:
            shown.add_row(str(f.record), repr(f.span), f.type, f.reason, repr(f.detail[:SHOWN]))
        show(shown, *(f"{reason}: {why}" for reason, why in leaks.REASONS.items()))
        words = ["cdner-bench", "gtok", "clean", str(file), "--out", f"{file.stem}-clean.json", "--domain", domain]
        words += ["--benchmark", benchmark] if benchmark is not None else []
        raise DataError(
            f"{file}: {len(findings)} explanations must not be learnt from",
            hint=f"type: {shlex.join(words)}",
        )
    print(f"{file} knows nothing that only dev or test of {domain} know")


def _tabulate_effects(report: Report) -> Table:
    shown = make_table("rule", "what it does", "explanations", "reason")
    for effect in report.effects:
        shown.add_row(effect.name, effect.action, f"{effect.types.total():,}", effect.reason)
    shown.columns[2].justify = "right"
    return shown


def _tabulate_drops(report: Report) -> list[Table]:
    """Rule × type for the rules that dropped anything, if any did."""
    dropping = [e for e in report.effects if e.action == "dropped" and e.types]
    if not dropping:
        return []
    shown = make_table(
        "type", *(e.name for e in dropping), "all", title="Dropped explanations by type", right=len(dropping) + 1
    )
    for name in sorted({name for e in dropping for name in e.types}):
        counts = [e.types[name] for e in dropping]
        shown.add_row(name, *(str(n) for n in counts), str(sum(counts)))
    return [shown]


def _tabulate_totals(counted: list[Statistics]) -> Table:
    headers = ("texts", "explanations", "tokens", "sentences/text", "expl./100", "expl./train sentence", "fail rate")
    shown = make_table(
        "domain", *headers, title="Explanations, their size, and how many are missing", right=len(headers), keep=KEPT
    )
    for s in counted:
        shown.add_row(
            s.domain,
            f"{s.texts:,}",
            f"{s.total.explained:,}",
            f"{s.tokens:,}",
            f"{s.sentences_per_text:.1f}",
            f"{s.per_hundred:.2f}",
            f"{s.per_train_sentence:.2f}",
            _format_rate(s.total.fail_rate),
        )
    return shown


def _tabulate_fail_rates(counted: list[Statistics]) -> Table:
    shown = make_table(
        "domain", "type", "gold", "explained", "fail rate", title="The same by entity type", right=3, keep=KEPT
    )
    for s in counted:
        for t in s.types:
            shown.add_row(s.domain, t.type, str(t.gold), str(t.explained), _format_rate(t.fail_rate))
    return shown


def _format_rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.2f}"


def _read_share(name: str, text: str, most: float) -> float | None:
    """A number from 0 to `most`; None for "none". Raises `OptionError` for anything else."""
    try:
        value = None if text.lower() == "none" else float(text)
    except ValueError:
        value = -1.0
    if value is not None and not 0 <= value <= most:
        raise OptionError(f"--{name} {text}: write a number from 0 to {most:g}, or none")
    return value


def _choose_endpoint(
    llm: str, model: str | None, key_variable: str, concurrency: int, served_by: str | None
) -> Endpoint:
    from ...io import models
    from ...llm import find_endpoint

    if llm == "local":
        return find_endpoint(model or "smollm2", "local", parallel=concurrency)
    if llm.startswith(models.HUB):
        return find_endpoint(llm, "local", parallel=concurrency)
    if model is None:
        raise OptionError(f"--llm {llm}: which model there?", hint="add --model NAME, or take --llm local")
    return find_endpoint(model, llm, key_variable, concurrency, served_by)


@contextmanager
def _open_bar(total: int) -> Iterator[Callable[[], None]]:
    """A progress bar over sentences on a terminal, nothing elsewhere."""
    from rich.progress import Progress

    from ..terminal import Terminal

    with Progress(console=Terminal(), disable=not sys.stdout.isatty()) as progress:
        task = progress.add_task("sentences", total=total)
        yield lambda: progress.advance(task)
