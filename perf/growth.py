"""Time against the size of the work: scoring, boards, and what is said of data.

    python perf/growth.py [--most 1.25] [--large]

Each work is done at a size and at four times that size, in a process of its own; what it takes of processor time at
next to no size is taken off. Printed is the exponent of the growth: 1 is linear, 2 quadratic. Ends with 1 if one is
above `--most`. With `--large` the sizes are those of the limits that the project sets itself, and these are held too.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cdner_bench import Entity, Sentence, conll
from cdner_bench.records import Result, results

FACTOR = 4
ROUNDS = 2
NEXT_TO_NONE = 10
WORDS = (
    "the",
    "a",
    "of",
    "in",
    "New",
    "York",
    "Ada",
    "Lovelace",
    "wrote",
    "met",
    "saw",
    "programme",
    "(",
    ")",
    ",",
    ".",
)
TYPES = ("person", "location", "organisation")


@dataclass(frozen=True)
class Work:
    """What is done: `make` writes what a command of arguments needs for a size; `limit` is in seconds, at `large`."""

    small: int
    large: int
    limit: float | None
    make: Callable[[Path, int], Sequence[str]]


def make_sentences(count: int, seed: int) -> list[Sentence]:
    """Random sentences of 20 tokens with two entities each; most sentences differ."""
    rng = random.Random(seed)
    made = []
    for n in range(count):
        tokens = (f"w{n}", *rng.choices(WORDS, k=19))
        starts = sorted(rng.sample(range(0, 18, 3), 2))
        spans = tuple(Entity(start, start + rng.randint(1, 2), rng.choice(TYPES)) for start in starts)
        made.append(Sentence(f"gold/{n}", tokens, spans))
    return made


def disturb(sentences: Sequence[Sentence]) -> list[Sentence]:
    """One entity in four gets another type."""
    rng = random.Random(1)
    return [
        replace(s, entities=tuple(replace(e, type=rng.choice(TYPES)) if rng.random() < 0.25 else e for e in s.entities))
        for s in sentences
    ]


def make_columns(folder: Path, size: int) -> Sequence[str]:
    """Two files of two columns."""
    gold = make_sentences(size, 0)
    conll.write(folder / "gold.txt", gold)
    conll.write(folder / "said.txt", disturb(gold))
    return ["score", str(folder / "said.txt"), "--gold", str(folder / "gold.txt")]


def make_one(folder: Path, size: int) -> Sequence[str]:
    """Two files of two columns without empty lines: all is one sentence."""
    command = make_columns(folder, size)
    for path in folder.glob("*.txt"):
        path.write_text(path.read_text().replace("\n\n", "\n"))
    return command


def make_lines(folder: Path, size: int) -> Sequence[str]:
    """A benchmark with a test split, and JSONL whose lines have ids."""
    path = make_benchmark(folder, size, learnt=5)
    lines = (
        json.dumps({"id": f"own/test/{n}", "entities": [[e.start, e.end, e.type] for e in s.entities]})
        for n, s in enumerate(disturb(make_sentences(size, 2)))
    )
    (folder / "said.jsonl").write_text("\n".join(lines) + "\n")
    return ["score", str(folder / "said.jsonl"), "--benchmark", str(path)]


def make_benchmark(folder: Path, size: int, learnt: int | None = None) -> Path:
    """A benchmark of one's own: a target whose test split has so many sentences, and its other two as many if `learnt`
    says nothing else; and a source that is small.
    """
    lines = ['name = "own"', 'version = "1"', 'title = "Own"', "[settings.single]", 'title = "Single source"']
    lines += ['sources = ["small"]', 'targets = ["own"]']
    for domain, many in (("own", size), ("small", 5)):
        lines += [f"[domains.{domain}]", f'title = "{domain}"', f"types = {json.dumps(TYPES)}"]
        for seed, split in enumerate(("train", "dev", "test")):
            path = folder / f"{domain}-{split}.txt"
            conll.write(path, make_sentences(many if split == "test" else min(many, learnt or many), seed))
            lines.append(f'{split} = {{ path = "{path}" }}')
    (folder / "own.toml").write_text("\n".join(lines) + "\n")
    return folder / "own.toml"


def about_benchmark(*command: str) -> Callable[[Path, int], Sequence[str]]:
    """A command about a benchmark of one's own."""

    def make(folder: Path, size: int) -> Sequence[str]:
        return [*command, "--benchmark", str(make_benchmark(folder, size))]

    return make


def make_results(folder: Path, size: int, *, rows: bool) -> Sequence[str]:
    """Result files like a committed one: of as many rows of one method, or of as many seeds of ten rows."""
    first = load_result()
    for n in range(size):
        row, seed = (n, 0) if rows else (n % 10, n // 10)
        options = {**first.method.options, "target.epochs": 1000 + row}
        made = replace(first, run=f"{n:016x}", method=replace(first.method, options=options), seed=seed)
        path = folder / "leaderboards" / "results" / made.path
        path.parent.mkdir(parents=True, exist_ok=True)
        results.save(made, path)
    return ["leaderboard", "--out", str(folder)]


def load_result() -> Result:
    """A committed result."""
    found = results.load_all(Path(__file__).parents[1] / "leaderboards" / "results", "crossner")
    return next(r for r in found if r.method.name == "bert-tagger" and r.finished)


WORKS: Mapping[str, Work] = {
    "score, two columns": Work(8_000, 300_000, 30, make_columns),
    "score, a sentence without end": Work(1_000, 16_000, None, make_one),
    "score, JSON lines with ids": Work(8_000, 300_000, 30, make_lines),
    "leaderboard, rows of one method": Work(250, 1_000, 5, lambda folder, n: make_results(folder, n, rows=True)),
    "leaderboard, result files": Work(250, 5_000, 5, lambda folder, n: make_results(folder, n, rows=False)),
    "data stats, sentences": Work(2_000, 32_000, None, about_benchmark("data", "stats")),
    "data audit, sentences": Work(2_000, 32_000, None, about_benchmark("data", "audit")),
}


def take_seconds(work: Work, size: int, compiled: str) -> float:
    """The least processor seconds of a few fresh processes, whose bytecode is kept in a folder of this run."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = compiled
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "cdner_bench", *work.make(Path(folder), size)]
        for _ in range(ROUNDS):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, check=True, capture_output=True, cwd=folder, env=environment)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--most", type=float, default=1.25, help="the highest exponent")
    arguments.add_argument("--large", action="store_true", help="at the sizes of the limits, which are held too")
    arguments.add_argument("--only", default="", help="works whose name holds this")
    chosen = arguments.parse_args()
    failed = False
    compiled = tempfile.TemporaryDirectory()
    for name, work in WORKS.items():
        if chosen.only not in name:
            continue
        most = work.large if chosen.large else FACTOR * work.small
        sizes = (NEXT_TO_NONE, most // FACTOR, most)
        start, less, more = (take_seconds(work, size, compiled.name) for size in sizes)
        exponent = math.log((more - start) / max(0.01, less - start), FACTOR)
        slow = exponent > chosen.most or (chosen.large and work.limit is not None and more > work.limit)
        failed |= slow
        limit = f", limit {work.limit:.0f} s" if chosen.large and work.limit else ""
        print(
            f"{name:34} {most // FACTOR:7,}: {less:6.2f} s  {most:7,}: {more:6.2f} s  exponent {exponent:.2f}{limit}"
            f"{'  TOO MUCH' * slow}",
            flush=True,
        )
    sys.exit(failed)


if __name__ == "__main__":
    main()
