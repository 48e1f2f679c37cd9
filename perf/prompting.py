"""How fast the prompting client asks: the local server at 1 and 4 requests at a time, an instant and a slow server.

    PYTHONPATH=tests python perf/prompting.py [--no-local]

The local server's own limit is measured beside it: the same prompts straight through llama.cpp, without HTTP, without
the client. Memory is the highest resident set of a process that asks so many questions.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from cdner_bench import text2text
from cdner_bench.data import benchmark
from cdner_bench.io import models
from cdner_bench.llm import Client, Limits, Question, Store, find_endpoint, server
from llm_server import Behaviour, running

TOKENS = 64
PROMPTS = 24


def prompts() -> list[str]:
    corpus = benchmark.load("mini").corpus("ai")
    return [text2text.prompt(s, corpus.types) for s in corpus.test[:PROMPTS]]


def ask(client_url: str, questions: Sequence[Question] | Iterator[Question], concurrency: int) -> tuple[int, float]:
    """How many answers came, and within how many seconds."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        client = Client(
            find_endpoint("m", client_url), Store(place / "store"), Limits(concurrency), ledger=place / "asked"
        )
        begun = time.perf_counter()
        count = sum(1 for _ in client.answers(questions))
        return count, time.perf_counter() - begun


def local() -> None:
    """The same prompts at 1 and at 4, in turn, three times; the best of each."""
    asked = prompts()
    seconds: dict[str, list[float]] = {}
    with server.start("smollm2", 4) as served:
        ask(served.url, [_question(p, 9) for p in asked[:4]], 4)
        for turn in range(3):
            for concurrency in (1, 4):
                questions = [_question(p, 10 * turn + concurrency) for p in asked]
                seconds.setdefault(f"client {concurrency}", []).append(ask(served.url, questions, concurrency)[1])
    for concurrency, took in straight(asked).items():
        seconds[f"llama.cpp {concurrency}"] = took
    best = {name: min(took) for name, took in seconds.items()}
    for name, fastest in best.items():
        print(f"{name:14} {PROMPTS / fastest:6.2f} answers/s of {TOKENS} tokens")
    print(f"client     4 against 1: {best['client 1'] / best['client 4']:.2f}x")
    print(f"llama.cpp  4 against 1: {best['llama.cpp 1'] / best['llama.cpp 4']:.2f}x (the server's own limit)")


def straight(asked: Sequence[str]) -> dict[int, list[float]]:
    """llama.cpp in a process of its own, without HTTP."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_straight, (asked,))


def _straight(asked: Sequence[str]) -> dict[int, list[float]]:

    holder = server.start_llama("smollm2", server.find_free_port(), 4, server.CONTEXT)

    def one(prompt: str) -> str:
        return str(holder.handle_chat_completions(_question(prompt, 0).body("smollm2")))

    list(map(one, asked[:2]))
    took: dict[int, list[float]] = {1: [], 4: []}
    for _ in range(3):
        for concurrency, seconds in took.items():
            with ThreadPoolExecutor(concurrency) as threads:
                begun = time.perf_counter()
                list(threads.map(one, asked))
                seconds.append(time.perf_counter() - begun)
    return took


def _question(prompt: str, sample: int) -> Question:
    return Question("m", (("user", prompt),), TOKENS, 0.0, sample=sample)


def instant() -> None:
    """A server that answers at once, and one that takes 50 ms."""
    with running(Behaviour()) as fake:
        count, took = ask(fake.url, _many(4000), 32)
        print(f"instant server, 32 at a time: {count / took:.0f} requests/s (server in the same process)")
    with running(Behaviour(delay=0.05)) as fake:
        one = ask(fake.url, _many(40), 1)
        four = ask(fake.url, _many(160), 4)
        print(f"server of 50 ms, 4 at a time against 1: {four[0] / four[1] / (one[0] / one[1]):.2f}x")


def memory() -> None:
    """Resident set after 1,000 and after 10,000 questions."""
    spawn = multiprocessing.get_context("spawn")
    with running(Behaviour()) as fake:
        for count in (1_000, 10_000):
            with spawn.Pool(1) as pool:
                answers, took, peak = pool.apply(_measured, (fake.url, count))
            print(f"{answers:6,} questions: {answers / took:.0f} requests/s, peak memory {peak / 2**20:.1f} MiB")


def _measured(url: str, count: int) -> tuple[int, float, int]:
    answers, took = ask(url, _many(count), 32)
    return answers, took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _many(count: int) -> Iterator[Question]:
    texts = prompts()
    return islice((_question(f"{n}\n{texts[n % len(texts)]}", 0) for n in range(count)), count)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--no-local", action="store_true", help="leave out the real model")
    chosen = arguments.parse_args()
    instant()
    memory()
    if not chosen.no_local:
        models.fetch("smollm2")
        local()


if __name__ == "__main__":
    main()
