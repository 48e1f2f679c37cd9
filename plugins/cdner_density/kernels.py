"""The loops that numpy has no function for, compiled by numba; each leaves the interpreter's lock alone.

Text is UTF-8 in arrays of bytes. Words are numbered from 1; 0 is the end of a unit. A *pair* is two words that follow
each other in a unit.

A pair's two numbers, of `bits` bits each, are scrambled one-to-one: the upper bits of the result say in which of
2^`split` parts the pair lies, and its lower bits, at most 32, which pair of that part it is. So pairs are counted
exactly, part by part in tables that fit into the processor's cache, and found again by going through the text anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Ids = NDArray[np.uint32]
Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Words = NDArray[np.uint64]
Floats = NDArray[np.float64]
F = TypeVar("F", bound=Callable[..., Any])

SPACE, END, LEAD = 1, 2, 3
KIND: Bytes = np.zeros(256, np.uint8)
"""What a byte may mean: white space, the end of a unit, the first byte of white space outside ASCII, or a letter."""
KIND[[9, 11, 12, 13, 28, 29, 30, 31, 32]] = SPACE
KIND[10] = END
KIND[[0xC2, 0xE1, 0xE2, 0xE3]] = LEAD

CODE, STOP, COUNT = 0, 1, 2
"""The columns of a vocabulary; a fourth makes its rows fit into the lines of the cache."""
COLUMNS_OF_WORDS = 4
SHORT = 7
"""Bytes of a word that its code can hold."""

LOW = np.uint64(0xFFFFFFFF)
HALF, EIGHT, TOP = np.uint64(32), np.uint64(8), np.uint64(56)
ONE = np.uint64(1)
SCRAMBLE = np.uint64(0xD6E8FEB86659FD93)

COLUMNS = ("length", "total", "squares", "jumps", "powers", "joint")
"""What `score` sums up for each unit."""


def compiled(function: F) -> F:
    """The same function as machine code, kept on the disk where there is a place for it."""
    try:
        return cast(F, numba.njit(nogil=True, cache=True, error_model="numpy")(function))
    except RuntimeError:  # nowhere to write
        return cast(F, numba.njit(nogil=True, error_model="numpy")(function))


@compiled
def measure_space(text: Bytes, at: int) -> int:
    """The bytes of the white space outside ASCII that begins at `at`, 0 if none does: what `str.isspace` knows."""
    left = len(text) - at
    first = text[at]
    if first == 0xC2:  # U+0085, U+00A0
        return 2 if left > 1 and (text[at + 1] == 0x85 or text[at + 1] == 0xA0) else 0
    if left < 3:
        return 0
    second, third = text[at + 1], text[at + 2]
    if first == 0xE1:  # U+1680
        return 3 if second == 0x9A and third == 0x80 else 0
    if first == 0xE3:  # U+3000
        return 3 if second == 0x80 and third == 0x80 else 0
    if second == 0x80:  # U+2000 to U+200A, U+2028, U+2029, U+202F
        return 3 if third <= 0x8A or third in (0xA8, 0xA9, 0xAF) else 0
    return 3 if second == 0x81 and third == 0x9F else 0  # U+205F


@compiled
def encode(
    text: Bytes, at: int, ids: Ids, n: int, table: Hashes, words: Words, letters: Bytes, types: int
) -> tuple[int, int, int]:
    """Number the words of `text[at:]` into `ids[n:]`, and count them.

    The vocabulary is `words`, a row of `CODE`, `STOP` and `COUNT` by number, and an open `table` of 2^k slots (upper
    half of the hash, number) that finds them. The code of a word of up to `SHORT` bytes is its bytes and their number;
    of a longer one it is a hash, and its `letters`, up to `STOP`, are compared. Stops where the vocabulary is full;
    returns where, the length of `ids`, the number of types.
    """
    mask = np.uint64(len(table) - 1)
    size = len(text)
    while at < size:
        kind = KIND[text[at]]
        if kind == END:
            ids[n] = 0
            n += 1
            at += 1
            continue
        if kind == SPACE:
            at += 1
            continue
        if kind == LEAD:
            blank = measure_space(text, at)
            if blank:
                at += blank
                continue
        start = at
        code = np.uint64(0)
        while True:
            if at - start < SHORT:
                code = (code << EIGHT) | np.uint64(text[at])
            else:
                code = (code ^ np.uint64(text[at])) * SCRAMBLE
            at += 1
            if at == size:
                break
            kind = KIND[text[at]]
            if kind and (kind != LEAD or measure_space(text, at)):
                break
        length = at - start
        code |= np.uint64(min(length, 255)) << TOP
        mixed = spread_bits(code)
        slot = mixed & mask
        while True:
            entry = table[slot]
            if entry == 0:
                filled = np.int64(words[types, STOP])
                if types + 1 >= len(words) or filled + length > len(letters):
                    return start, n, types
                types += 1
                table[slot] = (mixed & ~LOW) | np.uint64(types)
                letters[filled : filled + length] = text[start:at]
                words[types, CODE] = code
                words[types, STOP] = filled + length
                word = np.int64(types)
                break
            if (entry ^ mixed) <= LOW:
                word = np.int64(entry & LOW)
                if words[word, CODE] == code and (
                    length <= SHORT or is_same(letters, words[word - 1, STOP], words[word, STOP], text, start, at)
                ):
                    break
            slot = (slot + ONE) & mask
        words[word, COUNT] += ONE
        ids[n] = word
        n += 1
    return at, n, types


@compiled
def spread_bits(code: np.uint64) -> np.uint64:
    """A code with its bits spread."""
    code ^= code >> HALF
    code *= SCRAMBLE
    return code ^ (code >> HALF)


@compiled
def is_same(letters: Bytes, begin: int, end: int, text: Bytes, start: int, stop: int) -> bool:
    """Whether two stretches of bytes are equal."""
    if end - begin != stop - start:
        return False
    for i in range(stop - start):  # noqa: SIM110
        if letters[np.int64(begin) + i] != text[start + i]:
            return False
    return True


@compiled
def fill(table: Hashes, words: Words, types: int) -> None:
    """Put words 1 to `types` into an empty table."""
    mask = np.uint64(len(table) - 1)
    for word in range(1, types + 1):
        mixed = spread_bits(words[word, CODE])
        slot = mixed & mask
        while table[slot]:
            slot = (slot + ONE) & mask
        table[slot] = (mixed & ~LOW) | np.uint64(word)


@compiled
def spell(letters: Bytes, words: Words, types: int) -> Bytes:
    """The words 1 to `types` as a text, with spaces between them."""
    text = np.empty(np.int64(words[types, STOP]) + types, np.uint8)
    n = 0
    for word in range(1, types + 1):
        for i in range(np.int64(words[word - 1, STOP]), np.int64(words[word, STOP])):
            text[n] = letters[i]
            n += 1
        text[n] = 32
        n += 1
    return text


@compiled
def scramble(first: np.integer[Any], second: np.integer[Any], bits: np.uint64) -> np.uint64:
    """A pair as a number of twice `bits` bits, one-to-one (an odd factor and a shift can both be undone)."""
    inside = (ONE << (bits + bits)) - ONE
    pair = (np.uint64(first) << bits) | np.uint64(second)
    pair ^= pair >> bits
    pair = (pair * SCRAMBLE) & inside
    return pair ^ (pair >> bits)


@compiled
def measure(ids: Ids, bits: np.uint64, split: np.uint64, sizes: Ints) -> None:
    """Add to `sizes` how many pairs of `ids` fall into each part."""
    shift = bits + bits - split
    for i in range(len(ids) - 1):
        if ids[i] and ids[i + 1]:
            sizes[scramble(ids[i], ids[i + 1], bits) >> shift] += 1


@compiled
def place(ids: Ids, bits: np.uint64, split: np.uint64, cursors: Ints, pairs: Ids) -> None:
    """Write each pair of `ids` into `pairs`, where the cursor of its part stands."""
    shift = bits + bits - split
    inside = (ONE << shift) - ONE
    for i in range(len(ids) - 1):
        if ids[i] and ids[i + 1]:
            pair = scramble(ids[i], ids[i + 1], bits)
            part = pair >> shift
            pairs[cursors[part]] = pair & inside
            cursors[part] += 1


@compiled
def tally(pairs: Ids, spectrum: Ints) -> list[np.int64]:
    """Replace each pair of a part by how often it is there.

    Adds to `spectrum[c]` the number of pairs that are there c times; returns the counts that are too large for it.
    """
    size = 1024
    while size < len(pairs) // 2:
        size *= 2
    table, distinct = np.zeros(size, np.uint64), 0  # pair and count
    for i in range(len(pairs)):
        if 4 * distinct > 3 * size:
            size *= 2
            old, table = table, np.zeros(size, np.uint64)
            for entry in old:
                if entry:
                    slot = np.int64(entry >> HALF) & (size - 1)
                    while table[slot]:
                        slot = (slot + 1) & (size - 1)
                    table[slot] = entry
        slot = np.int64(pairs[i]) & (size - 1)
        while table[slot] and table[slot] >> HALF != pairs[i]:
            slot = (slot + 1) & (size - 1)
        if table[slot] == 0:
            table[slot] = np.uint64(pairs[i]) << HALF
            distinct += 1
        table[slot] += ONE
    for i in range(len(pairs)):
        slot = np.int64(pairs[i]) & (size - 1)
        while table[slot] >> HALF != pairs[i] or table[slot] == 0:
            slot = (slot + 1) & (size - 1)
        pairs[i] = table[slot] & LOW
    large = [np.int64(0) for _ in range(0)]  # numba must see the type
    for entry in table:
        count = np.int64(entry & LOW)
        if count >= len(spectrum):
            large.append(count)
        elif count:
            spectrum[count] += 1
    return large


@compiled
def score(
    ids: Ids, bits: np.uint64, split: np.uint64, cursors: Ints, counts: Ids, logs: Floats, unigrams: Floats,
    exponent: float, out: Floats,
) -> int:  # fmt: skip
    """Sum up the surprisal log2 c(a) - log2 c(a, b) of every pair over the units of `ids`, one column of `out` a unit.

    `counts` holds the counts of the pairs as `place` left them and `tally` made them, `logs` log2 of small counts,
    `unigrams` log2 of the counts of words. Rows of `out` are `COLUMNS`: number of words, sum of surprisals, of their
    squares, of the squared differences of neighbours, of their powers, and of count times surprisal.
    """
    shift = bits + bits - split
    units = length = 0
    total = squares = jumps = powers = joint = last = 0.0
    before = np.uint32(0)
    for i in range(len(ids)):
        word = ids[i]
        if word == 0:
            if length:
                out[0, units] = length
                out[1, units] = total
                out[2, units] = squares
                out[3, units] = jumps
                out[4, units] = powers
                out[5, units] = joint
                units += 1
            length = 0
            total = squares = jumps = powers = joint = 0.0
        else:
            length += 1
            if before:
                part = scramble(before, word, bits) >> shift
                count = counts[cursors[part]]
                cursors[part] += 1
                # Not below 0: logarithms of large counts are not the same to the last digit everywhere.
                surprisal = max(unigrams[before] - (logs[count] if count < len(logs) else np.log2(count)), 0.0)
                total += surprisal
                squares += surprisal * surprisal
                joint += count * surprisal
                if exponent:
                    powers += surprisal**exponent
                if length > 2:
                    jumps += (surprisal - last) ** 2
                last = surprisal
        before = word
    return units
