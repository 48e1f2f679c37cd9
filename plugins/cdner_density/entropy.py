"""Entropy of bigrams: per unit as in the TOPT paper (section 3.4), and of the corpus, corrected for its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge

from cdner_bench import Analysis, DataError, Measurement, Plot, RunContext, Text

from . import intervals
from .bigrams import Bigrams, Tokens
from .reading import Reading, count_pairs
from .units import NAMES, PER_BIT, Base, Floats, Units

MILLER_MADOW = (
    "Entropies by plug-in are too low, the more so the smaller the corpus; those by Miller and Madow correct the first "
    "order of that, and are still too low where most pairs are seen once."
)


class Entropy(Analysis):
    """How much information a corpus carries."""

    @dataclass(frozen=True)
    class Options:
        """What is counted, as in `uid`."""

        unit: str = "natural"
        """What entropy is taken of: `natural`, `explanation`, `sentence`, `line` or `document`, as the corpus has it.
        """
        tokens: str = "whitespace"
        """What is counted: what white space separates, `word` (signs apart), or the pieces of a tokenizer, by a
        folder's or a hub's name.
        """
        lowercase: bool = False
        """Read everything in lower case."""
        base: Base = "2"
        """The base of the logarithm."""
        points: Annotated[int, Ge(1)] = 5_000
        """How many units are kept one by one at most."""

    options: Options

    def measure(self, corpus: Text, run: RunContext) -> Measurement:
        """Raises `DataError` if the corpus has no bigram."""
        o = self.options
        pairs = count_pairs(corpus, Reading(o.unit, o.tokens, o.lowercase), run)
        if not pairs.pairs:
            raise DataError(
                f"no unit of {corpus.name} has two tokens", hint=f"units: {', '.join(corpus.units)} (-o unit=NAME)"
            )
        with run.phase("score"):
            length, joint = (np.concatenate(column) for column in zip(*pairs.map(_joint), strict=True))
            numbers = {name: bits * PER_BIT[o.base] for name, bits in entropies(pairs).items()}
        label = f"joint entropy ({NAMES[o.base]})"
        joint = joint * PER_BIT[o.base]
        columns = intervals.thin([length, joint], o.points, np.random.default_rng([run.seed, 3]))
        return Measurement(
            numbers={
                "units": len(joint),
                "tokens": pairs.tokens.tokens,
                "types": pairs.tokens.types,
                "bigrams": pairs.distinct,
                "mean": float(joint.mean()),
                "variance": intervals.variance(joint)[0],
                **numbers,
            },
            columns=dict(zip(("length", "entropy"), columns, strict=True)),
            plots=[Plot("by-length", "points", "entropy", label, "length", "tokens of the unit")],
            notes=[MILLER_MADOW],
        )


def entropies(pairs: Bigrams) -> dict[str, float]:
    """Unigram, joint and conditional entropy in bits, by plug-in and by Miller and Madow (1955).

    The conditional one is H(a, b) - H(a), a being the first word of a pair, each term estimated for itself.
    """
    tokens = pairs.tokens
    single = _from_counts(tokens.unigrams[tokens.unigrams > 0])
    contexts = tokens.unigrams - _count_last_words(tokens)
    first = _from_counts(contexts[contexts > 0])
    both = _from_spectrum(pairs.spectrum)
    return {
        "unigram_entropy": single[0],
        "unigram_entropy_mm": single[1],
        "joint_entropy": both[0],
        "joint_entropy_mm": both[1],
        "conditional_entropy": both[0] - first[0],
        "conditional_entropy_mm": both[1] - first[1],
    }


def _joint(units: Units) -> tuple[Floats, Floats]:
    has = units.scored > 0
    return units.length[has].astype(np.uint32), units.joint[has]


def _from_counts(counts: np.ndarray) -> tuple[float, float]:
    sizes, numbers = np.unique(counts, return_counts=True)
    return _from_spectrum(dict(zip(sizes.tolist(), numbers.tolist(), strict=True)))


def _from_spectrum(spectrum: Mapping[int, int]) -> tuple[float, float]:
    """Plug-in entropy in bits, and with (K - 1) / 2N nats added; `spectrum` maps a count to how many have it."""
    counts = np.array(sorted(spectrum), float)
    kinds = np.array([spectrum[int(c)] for c in counts], float)
    total = float(counts @ kinds)
    plug_in = float(np.log2(total) - (counts * kinds) @ np.log2(counts) / total)
    return plug_in, plug_in + (float(kinds.sum()) - 1) / (2 * total * float(np.log(2)))


def _count_last_words(tokens: Tokens) -> np.ndarray:
    """How often each word ends a unit."""
    last = np.concatenate([block[np.flatnonzero(block[1:] == 0)] for block in tokens.blocks])
    counts = np.bincount(last, minlength=len(tokens.unigrams))
    counts[0] = 0  # an empty unit ends with the one before
    return counts
