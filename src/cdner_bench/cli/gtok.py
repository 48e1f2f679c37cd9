"""`cdner-bench gtok`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import OptionError, did_you_mean
from .common import BenchmarkName, chosen

if TYPE_CHECKING:
    from ..llm import Endpoint

app = typer.Typer(help="Task-oriented knowledge: corpora of explanations.", no_args_is_help=True)


@app.callback()
def _group() -> None: ...


@app.command()
def generate(
    domain: Annotated[str, typer.Option(help="Whose train split is explained.", metavar="NAME")],
    llm: Annotated[str, typer.Option(help="local, hf:NAME, or the URL of an OpenAI-compatible server.")],
    out: Annotated[Path, typer.Option(help="Where the corpus goes.", metavar="FILE")],
    benchmark: BenchmarkName = None,
    model: Annotated[str | None, typer.Option(help="The model's name at a URL; smollm2 with local.")] = None,
    wording: Annotated[str, typer.Option(help="The prompt: of the released code, or of the paper.")] = "released",
    temperature: Annotated[float, typer.Option(min=0, max=2)] = 0.1,
    top_p: Annotated[float, typer.Option(min=0, max=1)] = 0.95,
    max_tokens: Annotated[int, typer.Option(help="The length of an explanation.", min=1)] = 512,
    concurrency: Annotated[int, typer.Option(help="Requests at a time.", min=1)] = 4,
    max_cost: Annotated[float | None, typer.Option(help="Stop before so many US dollars are spent.")] = None,
    key_variable: Annotated[str, typer.Option(help="The environment variable with the key.")] = "OPENAI_API_KEY",
    store: Annotated[Path, typer.Option(help="The folder of answers; what is in it is not asked again.")] = Path(
        "runs/answers"
    ),
) -> None:
    """Ask a language model why each entity of a train split has its type. Interrupted, it goes on where it stopped."""
    import json

    from .. import generation
    from ..files import write_atomic
    from ..llm import Client, Limits, Store

    if wording not in generation.WORDINGS:
        raise OptionError(f"unknown wording {wording!r}", hint=did_you_mean(wording, generation.WORDINGS))
    data = chosen(benchmark)
    corpus = data.corpus(data.domain(domain).name)
    endpoint = _endpoint(llm, model, key_variable, concurrency)
    ledger = out.with_name(f".{out.name}.requests")
    client = Client(endpoint, Store(store), Limits(concurrency, max_cost=max_cost), ledger=ledger)
    sampling = generation.Sampling(wording, temperature, top_p, max_tokens)
    questions = generation.questions(corpus, endpoint.model, sampling)
    print(f"{domain}, {endpoint.model}: {client.estimate(questions, 4 * max_tokens)}", flush=True)
    records = []
    with _bar(len(corpus.train)) as advance:
        for record in generation.generate(corpus, client, sampling):
            records.append(record)
            advance()
    write_atomic(out, json.dumps(records, indent=1, ensure_ascii=False) + "\n")
    ledger.unlink(missing_ok=True)
    usage = client.usage(wording)
    print(f"{out}: {sum(usage.states.values())} answers, {dict(usage.states)}, {usage.tokens_out:,} tokens out")
    print(f"next: cdner-bench gtok clean {out} --out {out} --benchmark {data.name} --domain {domain}")


def _endpoint(llm: str, model: str | None, key_variable: str, concurrency: int) -> Endpoint:
    from ..llm import endpoint
    from ..llm.server import HUB

    if llm == "local":
        return endpoint(model or "smollm2", "local", parallel=concurrency)
    if llm.startswith(HUB):
        return endpoint(llm, "local", parallel=concurrency)
    if model is None:
        raise OptionError(f"--llm {llm}: which model there?", hint="add --model NAME, or take --llm local")
    return endpoint(model, llm, key_variable, concurrency)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[], None]]:
    """A progress bar over sentences on a terminal, nothing elsewhere."""
    from rich.progress import Progress

    with Progress(disable=not sys.stdout.isatty()) as progress:
        task = progress.add_task("sentences", total=total)
        yield lambda: progress.advance(task)
