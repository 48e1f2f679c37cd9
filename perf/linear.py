"""Time against length: reading a model's answer, and cleaning an explanation.

    python perf/linear.py [--most 24]

Each shape of text is read at a size and at eight times that size, one after the other. A linear reader takes eight
times as long, a quadratic one sixty-four times. Ends with 1 if a shape takes more than `--most` times as long in the
best of five comparisons.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping

from cdner_bench import Sentence, text2text
from cdner_bench.knowledge.cleaning import read_rules

FACTOR = 8
QUICK = 0.002  # what takes less says nothing about growth
WORDS = "Ada Lovelace and Ada Byron lived in New York ( x ) with a b , the programmer ."
SENTENCE = Sentence("s", tuple(WORDS.split()))
TYPES = ("person", "location")
ANSWERS: Mapping[str, Callable[[int], str]] = {
    "openings": lambda n: "(person, " * n,
    "openings without space": lambda n: "(person,x" * n,
    "nested openings": lambda n: "(person,(" * n,
    "items": lambda n: "(person, x) " * n,
    "items with text between": lambda n: "(person, x): " * n,
    "repeats of an ambiguous name": lambda n: "(person, Ada) (person, Ada Byron) " * n,
    "empty items": lambda n: "(person, ) " * n,
    "items without space": lambda n: "(person,)" * n,
    "closings": lambda n: ")" * n,
    "brackets": lambda n: "(" * n,
    "pairs": lambda n: "()" * n,
    "closings and dots": lambda n: "(person, x" + (")" + "." * 20) * n + "!",
    "dots": lambda n: "(person, x)" + "." * 10 * n + "!",
    "spaces": lambda n: "(person, x)" + " " * 10 * n + "x",
    "commas": lambda n: "(," * n,
    "long type": lambda n: "(" + "p" * 10 * n + ", x)",
    "long text": lambda n: "(person, " + "x" * 10 * n + ")",
    "words": lambda n: "(person, " + "Ada " * 10 * n + ")",
    "unknown symbols": lambda n: "(person, Ada" + "<unk>" * n + ")",
    "unknown symbols in items": lambda n: "(person, A<unk><unk><unk>e <unk>d<unk>) " * n,
    "combining marks": lambda n: "(person, A" + "\u0316\u0300" * 10 * n + ")",
}
EXPLANATIONS = ["\n", "!", "Thank you for ", ".Thank you for x", '"', "\nI'm here to", "However "]


def timed(work: Callable[[], object]) -> float:
    """The shortest of four times, in seconds, and no less than what can be compared."""
    taken = []
    for _ in range(4):
        before = time.perf_counter()
        work()
        taken.append(time.perf_counter() - before)
    return max(QUICK, min(taken))


def growth(work: Callable[[int], Callable[[], object]]) -> tuple[int, float]:
    """A size that takes long enough, and how many times as long eight times the size takes."""
    size = 500
    while size < 50_000 and timed(work(size)) < 0.005:
        size *= 2
    return size, min(timed(work(FACTOR * size)) / timed(work(size)) for _ in range(5))


def shapes() -> Mapping[str, Callable[[int], Callable[[], object]]]:
    """What to do, by name: from a size to the work."""
    rules = read_rules()

    def reading(shape: Callable[[int], str]) -> Callable[[int], Callable[[], object]]:
        def work(size: int) -> Callable[[], object]:
            text = shape(size)
            return lambda: text2text.read(text, SENTENCE, TYPES)

        return work

    def cleaning(piece: str) -> Callable[[int], Callable[[], object]]:
        def work(size: int) -> Callable[[], object]:
            text = piece * size
            return lambda: rules.find_drop(rules.replace(text)[0])

        return work

    works = {f"answer: {name}": reading(shape) for name, shape in ANSWERS.items()}
    return works | {f"explanation: {piece!r}": cleaning(piece) for piece in EXPLANATIONS}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument(
        "--most", type=float, default=24.0, help="how many times as long may eight times a text take"
    )
    most = arguments.parse_args().most
    slow = 0
    for name, work in shapes().items():
        size, ratio = growth(work)
        slow += ratio > most
        print(f"{name:45} {size:6} and {FACTOR * size:7}: {ratio:5.1f}×{'  TOO MUCH' * (ratio > most)}", flush=True)
    sys.exit(slow > 0)


if __name__ == "__main__":
    main()
