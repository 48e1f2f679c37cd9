"""UID and entropy of a text file, against `wc -w` on the same file in the same run: tokens per second, and memory.

`density.py [TOKENS ...]` (default 1e6 1e7 1.5e8) generates a corpus of each size, counts its words with `wc -w`, and
measures it, in a process of its own whose code is compiled already, with the analyses' defaults. Held to: a quarter of
the rate of `wc -w` for both analyses together, under 2 GiB, agreement with ten lines of Python at 1e6 tokens to 1e-9.
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cdner_bench import RunContext, plugins
from cdner_bench.plugins import Analysis
from cdner_bench.running import analyses

SIZES = (1e6, 1e7, 1.5e8)
SLOWER, MEMORY = 4.0, 2.0
REPEATS = 3  # of what takes a second; the fastest counts, for `wc` and for us

# The vocabulary of English by rank: Zipf's law with two regimes (Ferrer i Cancho and Sole 2001), exponent HEAD for the
# first KINK words, then TAIL. A word is followed by one of its own favourites (FOLLOW of the time; FAN says how many
# it has), or by any. At 150M tokens this makes 2.0M types and 40M distinct bigrams, 5.3 bytes a token.
HEAD, TAIL, KINK, SHIFT = 1.05, 1.45, 8000.0, 2.7
FOLLOW, FAN = 0.33, 1.5
TYPES = 11_000_000
UNIT = 25  # tokens, on average
CHAINS, STEPS = 50_000, 40
LETTERS = np.frombuffer(b"etaoinshrdlcumwfgypbvkxjqz", np.uint8)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def ranks(uniform: Floats) -> Ints:
    """Ranks of words, by inverting the distribution."""
    power = HEAD - 1
    first = SHIFT**-power
    head = (first - (KINK + SHIFT) ** -power) / power
    tail = (KINK + SHIFT) ** -HEAD * KINK / (TAIL - 1)
    x = uniform * (head + tail)
    common = (first - power * np.minimum(x, head)) ** (-1 / power) - SHIFT
    rare = KINK * np.maximum(1 - (x - head) / tail, 1e-12) ** (-1 / (TAIL - 1))
    chosen: Floats = np.where(x < head, common, rare)
    return chosen.clip(0, TYPES - 1).astype(np.int64)


def scattered(numbers: Ints) -> NDArray[np.uint64]:
    """A hash (splitmix64)."""
    x = numbers.astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def spelled(words: Ints, ends: NDArray[np.bool_]) -> bytes:
    """Words by rank as text: the rank in letters, after a few that hang on it; rarer words are longer."""
    code = scattered(words + 1)
    padding = (code % np.where(words < 676, 3, np.where(words < 18252, 5, 6)).astype(np.uint64)).astype(np.int64)
    width = np.where(words < 676, 2, np.where(words < 18252, 4, 5))
    text = np.zeros((len(words), 12), np.uint8)
    kept = np.zeros((len(words), 12), bool)
    rest = words.copy()
    for n in range(5):
        text[:, n] = LETTERS[((code >> np.uint64(8 + 5 * n)) % np.uint64(26)).astype(np.int64)]
        kept[:, n] = n < padding
        text[:, 10 - n] = LETTERS[rest % 26]
        kept[:, 10 - n] = n < width
        rest //= 26
    text[:, 11] = np.where(ends, ord("\n"), ord(" "))
    kept[:, 11] = True
    return text[kept].tobytes()


def generate(path: Path, tokens: int) -> None:
    """A corpus of `tokens` tokens, a line a unit."""
    random = np.random.default_rng(0)
    state = ranks(random.random(CHAINS))
    written = 0
    with path.open("wb") as stream:
        while written < tokens:
            steps = []
            for _ in range(STEPS):
                favourite = (random.random(CHAINS) ** -FAN).clip(1, 1e6).astype(np.int64)
                own = ranks((scattered(state * 1_000_003 + favourite) >> np.uint64(11)) / 2.0**53)
                state = np.where(random.random(CHAINS) < FOLLOW, own, ranks(random.random(CHAINS)))
                steps.append(state)
            words = np.stack(steps).T.ravel()[: tokens - written]
            stream.write(spelled(words, random.random(len(words)) < 1 / UNIT))
            written += len(words)


def measure(path: Path) -> dict[str, float]:
    """Both analyses of a file: seconds, and what they say."""
    registry = plugins.discover()
    (text,) = analyses.texts(str(path), None, [])
    found = {}
    start = time.perf_counter()
    for name in ("uid", "entropy"):
        entry = registry.analysis(name)
        run = RunContext.create(0, path.parent, path.parent)
        numbers = entry.spec.load(Analysis)(entry.spec.resolve(None, {}, Analysis)).measure(text, run).numbers
        found[name] = time.perf_counter() - start
        found |= {f"{name} {key}": float(value) for key, value in numbers.items() if value is not None}
    found["GiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return found


def child(path: Path) -> dict[str, float]:
    """The same in a process of its own, which first measures a small text: so its code is there."""
    command = [sys.executable, __file__, "--measure", str(path)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def wc(path: Path) -> float:
    """Seconds of `wc -w`."""
    start = time.perf_counter()
    subprocess.run(["wc", "-w", str(path)], check=True, capture_output=True)
    return time.perf_counter() - start


def reference(path: Path) -> tuple[float, float]:
    """Variance of UID and mean joint entropy by the definition, and nothing else."""
    units = [line.split() for line in path.read_text().splitlines()]
    words = Counter(w for u in units for w in u)
    pairs = Counter(p for u in units for p in pairwise(u))
    units, total = [u for u in units if len(u) > 1], pairs.total()
    surprisals = [[(math.log2(words[a] / pairs[a, b]), pairs[a, b] / total) for a, b in pairwise(u)] for u in units]
    uid = [sum(s for s, _ in found) / len(u) for u, found in zip(units, surprisals, strict=True)]
    return float(np.var(uid)), float(np.mean([sum(s * p for s, p in found) for found in surprisals]))


def main() -> None:
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for size in map(float, sys.argv[1:] or SIZES):
            path = Path(folder) / "corpus.txt"
            generate(path, int(size))
            times = 1 if size > 5e7 else REPEATS
            wc(path)  # now the file is in memory
            best = min((child(path) for _ in range(times)), key=lambda found: found["entropy"])
            tokens, words = best["uid tokens"], min(wc(path) for _ in range(REPEATS))
            ratios = [words / best[name] for name in ("uid", "entropy")]
            print(
                f"{tokens / 1e6:6.1f}M tokens, {best['uid types'] / 1e6:.2f}M types, {best['uid bigrams'] / 1e6:5.1f}M "
                f"bigrams: wc -w {tokens / words / 1e6:5.1f}M tokens/s, uid {tokens / best['uid'] / 1e6:5.1f}M "
                f"({ratios[0]:.2f}), uid and entropy {tokens / best['entropy'] / 1e6:5.1f}M ({ratios[1]:.2f}, limit "
                f"{1 / SLOWER:.2f}), {best['GiB']:.2f} GiB (limit {MEMORY:.0f})",
                flush=True,
            )
            failed |= ratios[1] < 1 / SLOWER or best["GiB"] > MEMORY
            if size <= 1e6:
                start = time.perf_counter()
                expected = reference(path)
                plain = tokens / (time.perf_counter() - start)
                found = (best["uid variance"], best["entropy mean"])
                off = max(abs(a / b - 1) for a, b in zip(found, expected, strict=True))
                print(f"        plain Python: {plain / 1e6:.2f}M tokens/s; largest relative difference {off:.1e}")
                failed |= off > 1e-9
    sys.exit(failed)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as small:
            small.write("a b c d\n" * 2000)
            small.flush()
            measure(Path(small.name))
        print(json.dumps(measure(Path(sys.argv[2]))))
    else:
        main()
