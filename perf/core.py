"""What the core costs: loading and verifying CrossNER, scoring five test sets under all protocols.

Seconds of processor time on this machine, and the limit each is held to.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable

from cdner_bench import Entity, Prediction, Sentence
from cdner_bench.data import benchmark
from cdner_bench.scoring import score


def own_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def noisy(sentence: Sentence, types: tuple[str, ...], rng: random.Random) -> Prediction:
    """Gold with 12 % dropped, 10 % retyped, 8 % cut short."""
    said = []
    for e in sentence.entities:
        dice = rng.random()
        if dice >= 0.12:
            kind = rng.choice(types) if dice < 0.22 else e.type
            end = e.end - 1 if 0.22 <= dice < 0.30 and e.end - e.start > 1 else e.end
            said.append(Entity(e.start, end, kind))
    return Prediction(sentence.id, tuple(said))


def main() -> None:
    crossner = benchmark.load("crossner")
    if not crossner.is_present():
        print("the CrossNER data is not here: cdner-bench data fetch")
        return
    rows = [("load and verify CrossNER", own_seconds(lambda: [crossner.corpus(n) for n in crossner.domains]), 2.0)]
    rng = random.Random(0)
    corpora = [crossner.corpus(name) for name in crossner.setting("single").targets]
    said = [[noisy(s, c.types, rng) for s in c.test] for c in corpora]
    pairs = list(zip(corpora, said, strict=True))
    seconds = own_seconds(lambda: [score(c.test, p, c.types) for c, p in pairs])
    rows.append(("score five test sets, six protocols", seconds, 2.0))
    for name, seconds, limit in rows:
        print(f"{name:40} {seconds:6.2f} s  (limit {limit:.1f} s)")
    sys.exit(any(seconds > limit for _, seconds, limit in rows))


if __name__ == "__main__":
    main()
