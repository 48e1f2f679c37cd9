"""Files as accidents leave them: `python tests/mutations.py 100000` scores so many and fails at the first traceback."""

from __future__ import annotations

import gzip
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cdner_bench import Entity, Sentence
from cdner_bench.data.readers import read_file
from cdner_bench.errors import CdnerError
from cdner_bench.io import meter
from cdner_bench.scoring import Judged, Report, judge_by_column
from cdner_bench.scoring.judging import match_order

_COLUMNS = "Ada\tB-person\nLovelace\tI-person\nmet\tO\n\nParis\tB-location\nis\tO\n"
_WORDS = (("Ada", "Lovelace", "met"), ("Paris", "is"))
_TEXTS = ("Ada Lovelace met", "Paris is")
GOLD = [
    Sentence("x/0", _WORDS[0], (Entity(0, 2, "person"),)),
    Sentence("x/1", _WORDS[1], (Entity(0, 1, "location"),)),
]
TYPES = ("person", "location")
_TOKENS = [[[0, 2, "person"]], [[0, 1, "location"]]]
_CHARACTERS = [[[0, 12, "person"]], [[0, 5, "location"]]]
_TAGS = [["B-person", "I-person", "O"], ["B-location", "O"]]


def _lines(**columns: Sequence[object]) -> bytes:
    rows = zip(*columns.values(), strict=True)
    return "".join(f"{json.dumps(dict(zip(columns, row, strict=True)))}\n" for row in rows).encode()


SEEDS = [
    _COLUMNS.encode(),
    _COLUMNS.replace("\t", " NNP B-NP ").encode(),
    _COLUMNS.replace("\tB-person", "\tB-person\tB-person")
    .replace("\tI-person", "\tI-person\tI-person")
    .replace("\tO", "\tO\tO")
    .replace("\tB-location", "\tB-location\tB-location")
    .encode(),
    b"B-person I-person O\nB-location O\n",
    _lines(tokens=_WORDS, tags=_TAGS),
    _lines(tokens=_WORDS, entities=_TOKENS),
    _lines(text=_TEXTS, label=_CHARACTERS),
    _lines(text=_TEXTS, tokens=_WORDS, entities=_CHARACTERS),
    _lines(raw=["(person, Ada Lovelace)", "(location, Paris)"]),
    json.dumps([[text, {"entities": spans}] for text, spans in zip(_TEXTS, _CHARACTERS, strict=True)]).encode(),
    json.dumps(
        {"data": [{"text": text, "label": spans} for text, spans in zip(_TEXTS, _CHARACTERS, strict=True)]}
    ).encode(),
    gzip.compress(_COLUMNS.encode()),
    b"T1\tperson 0 12\tAda Lovelace\n",
]


def mutate(data: bytes, rng: random.Random) -> bytes:
    """A file with up to four accidents: bytes flipped, inserted or gone, lines lost, doubled or moved, columns swapped,
    the end cut off, numbers changed.
    """
    for _ in range(rng.randint(1, 4)):
        data = rng.choice(_ACCIDENTS)(data, rng)
    return data


def _flip(data: bytes, rng: random.Random) -> bytes:
    n = rng.randrange(len(data) + 1)
    return data[:n] + bytes([rng.randrange(256)]) + data[n + 1 :]


def _insert(data: bytes, rng: random.Random) -> bytes:
    n = rng.randrange(len(data) + 1)
    piece = rng.choice(
        [b"\t", b" ", b"\n", b'"', b"[", b"]", b"{", b"}", b",", b"\xc2\xa0", b"\0", b"-", b"9" * 30, b"\xe2\x80\xa8"]
    )
    return data[:n] + piece + data[n:]


def _remove(data: bytes, rng: random.Random) -> bytes:
    n = rng.randrange(len(data) + 1)
    return data[:n] + data[n + rng.randint(1, 8) :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _move_line(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    line = lines.pop(rng.randrange(len(lines)))
    for _ in range(rng.randrange(3)):
        lines.insert(rng.randrange(len(lines) + 1), line)
    return b"\n".join(lines)


def _swap_columns(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    n = rng.randrange(len(lines))
    separator = rng.choice([b"\t", b" ", b", "])
    columns = lines[n].split(separator)
    rng.shuffle(columns)
    lines[n] = separator.join(columns)
    return b"\n".join(lines)


def _change_number(data: bytes, rng: random.Random) -> bytes:
    places = [n for n, byte in enumerate(data) if chr(byte).isdigit()]
    if not places:
        return data
    n = rng.choice(places)
    return data[:n] + rng.choice([b"-1", b"1.5", b"999999999999", b"null", b"true", b'"2"', b"[]"]) + data[n + 1 :]


_ACCIDENTS = (_flip, _insert, _remove, _cut, _move_line, _swap_columns, _change_number)


def score(path: Path) -> float | None:
    """F1 of a file, by its own gold column if it has one; None for a file that is refused."""
    try:
        file = read_file(path)
        if file.has_gold:
            return Report(file, judge_by_column(file)).scores.counts().f1
        judged = Judged("gold", [((GOLD, TYPES), match_order(file, (GOLD, TYPES)))])
        report = Report(file, judged)
        json.dumps(report.to_data())
        return report.scores.counts().f1
    except CdnerError:
        return None


def main(count: int) -> None:
    """Score `count` mutated files; say how many were scored, the slowest, and the memory."""
    rng = random.Random(0)
    scored, slowest = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        (Path(folder) / "file.txt").write_text("\n".join(_TEXTS) + "\n")
        for n in range(count):
            data = mutate(SEEDS[n % len(SEEDS)], rng)
            path.write_bytes(data)
            begun = time.perf_counter()
            try:
                f1 = score(path)
            except Exception:
                print(f"file {n}: {data!r}")
                raise
            slowest = max(slowest, time.perf_counter() - begun)
            scored += f1 is not None
            assert f1 is None or 0 <= f1 <= 100
    peak = meter.read_peak_memory() / 2**20
    print(
        f"{count:,} files: {scored:,} scored, {count - scored:,} refused; slowest {slowest:.2f} s, peak {peak:.0f} MiB"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
