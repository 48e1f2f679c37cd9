"""Results and measurements as accidents and malice leave them: `python tests/broken_records.py 10000` shows so many on
boards, some at a time, and fails at the first traceback and at the first number that cannot be.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

from cdner_bench.errors import CdnerError, RefusedWarning
from cdner_bench.papers import list_supplements
from cdner_bench.records import measurements, results
from cdner_bench.reporting import FORMATS, publish
from mutations import mutate
from support import ROOT

AT_ONCE = 50
"""How many files lie in a folder: a mutation meets others on a board."""
BOARDS = ROOT / "leaderboards"
HISTORY = ROOT / "tests" / "core" / "records" / "history"
SEEDS = [
    *sorted((BOARDS / "results" / "mini").rglob("*.json")),
    *sorted(HISTORY.glob("schema-*.json")),
    *sorted((BOARDS / "measurements" / "mini").rglob("*gtok-*.json"))[:6],
    *sorted(HISTORY.glob("measurement-*.json")),
]
HOSTILE: tuple[object, ...] = (
    None, True, False, 0, -1, 3, 1.5, -50, 10**9, 10**31, 1e300, "", "x", "..", "../../x", "0/0/0", "1/0/-1", "NaN/0/0",
    "9" * 31 + "/0/0", "\ud800", "\0", "\x1b[2J", "finished", "not-run", "ai", [], {}, [[]], [None], {"a": []},
    "a" * 99, [1, 2, 3], {"read": 5}, "2026-01-01", "span-f1",
)  # fmt: skip
LOOSE = ("method", "analysis", "provenance", "device", "model", "usage", "phases", "learnt_from", "measurement")
"""Fields of which more is shown than checked."""


def list_places(value: object, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a value of JSON, as keys and positions."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*place, key)
            yield from list_places(inner, (*place, key))


def swap(data: bytes, rng: random.Random) -> bytes:
    """A record in which a value or two are hostile ones, or gone."""
    record = json.loads(data)
    for _ in range(rng.choice((1, 1, 2))):
        places = list(list_places(record))
        if rng.random() < 0.5:
            places = [place for place in places if place[0] in LOOSE] or places
        *path, last = rng.choice(places)
        table = record
        for key in path:
            table = table[key]
        if rng.random() < 0.15:
            del table[last]
        else:
            table[last] = deepcopy(rng.choice(HOSTILE))
        if not record:
            break
    return json.dumps(record, indent=1).encode()


def double(data: bytes, rng: random.Random) -> bytes:
    """A record in which a key stands twice."""
    lines = data.split(b"\n")
    keyed = [n for n, line in enumerate(lines) if b'": ' in line and line.endswith(b",")]
    n = rng.choice(keyed)
    return b"\n".join([*lines[:n], lines[n], *lines[n:]])


def place(folder: Path, seed: Path, number: int, rng: random.Random) -> None:
    """Put a broken copy of a record where it would belong if it were whole, or where it belongs as it is. Each is a run
    of its own.
    """
    record = json.loads(seed.read_text(encoding="utf-8"))
    record["seed"] = number
    if "run" in record:
        record["run"] = f"{number:016x}"
    data = json.dumps(record, indent=1).encode()
    for _ in range(rng.choice((1, 1, 2))):
        try:
            data = rng.choice((mutate, swap, swap, swap, double))(data, rng)
        except (ValueError, IndexError, TypeError):
            break  # it is broken already
    if BOARDS in seed.parents:
        path = folder / seed.relative_to(BOARDS)
    else:
        kind = "measurements/mini/uid" if "measurement" in seed.name else "results/mini/single/ai"
        path = folder / kind / f"{seed.stem}-0.json"
    path = path.with_name(f"{path.stem.rpartition('-')[0]}-{number}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if rng.random() < 0.5:
        with suppress(CdnerError):
            records = measurements if "measurement" in str(path.relative_to(folder)) else results
            own = folder / records.__name__.rpartition(".")[2] / records.load(path).path
            own.parent.mkdir(parents=True, exist_ok=True)
            path.replace(own)


def show(folder: Path, format_: str) -> int:
    """Make every page of a folder's records; how many files were refused."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RefusedWarning)
        for name in (format_, "json"):
            publication = publish(folder, name, ["mini"], list_supplements())
            for path, text in publication.pages.items():
                if path.suffix == ".json":
                    check(json.loads(text, parse_constant=sys.exit))
    assert all(str(folder) in str(warning.message) for warning in caught), "a refusal names its file"
    return len({str(warning.message) for warning in caught})


def check(page: Any) -> None:
    """What is shown is a percentage."""
    for row in page:
        if "protocol" in row:
            top = 100 if row["protocol"] != "topt-released" else 10**9
            assert 0 <= row["mean"] <= top, row


def run(count: int, seed: int = 0) -> str:
    """Show `count` broken files on boards, and say how many were refused, the slowest board and the longest message."""
    rng = random.Random(seed)
    refused, slowest = 0, 0.0
    for first in range(0, count, AT_ONCE):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number in range(first, min(first + AT_ONCE, count)):
                place(folder, rng.choice(SEEDS), number, rng)
            begun = time.perf_counter()
            try:
                refused += show(folder, rng.choice(list(FORMATS)))
            except CdnerError as error:
                print(f"all of {first} and after: {error}")
            slowest = max(slowest, time.perf_counter() - begun)
    return f"{count:,} files: {refused:,} refused, {count - refused:,} shown; slowest board {slowest:.2f} s"


if __name__ == "__main__":
    print(run(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
