"""Uniform information density: surprisal per unit, its mean and its variance (TOPT, sections 3.4 and 4.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from cdner_bench import (
    Analysis,
    DataError,
    Interval,
    Measurement,
    OptionError,
    Plot,
    PluginError,
    RunContext,
    Text,
    backbone,
    operational,
)

from . import intervals, smoothing
from .bigrams import Bigrams, Tokens
from .reading import Reading, count_pairs
from .units import NAMES, Base, Floats, Normalise, Operationalisation, PerUnit, Units, sum_up

Count = Annotated[int, Ge(1)]
FOLDS = 5
_BIGRAMS, _HELD_OUT = ("bigram", "add-k", "kneser-ney"), ("add-k", "kneser-ney")
GOES_WITH = {
    "folds": ("model", _HELD_OUT),
    "k": ("model", ("add-k",)),
    "backbone": ("model", ("transformer",)),
    "window": ("model", ("transformer",)),
    "stride": ("model", ("transformer",)),
    "tokens": ("model", _BIGRAMS),
    "lowercase": ("model", _BIGRAMS),
    "normalise": ("operationalisation", ("mean", "super-linear")),
    "exponent": ("operationalisation", ("super-linear",)),
}
"""Options that mean something with some values of another only."""
SELF_ESTIMATED = (
    "The language model is estimated on the corpus that it judges, so the numbers depend on the corpus's size; "
    "sample_variance is of equally large samples, and compares."
)
_STRETCH = 256  # units whose surprisals are held one by one


class UniformInformationDensity(Analysis):
    """How evenly a corpus spreads information over its units."""

    @dataclass(frozen=True)
    class Options:
        """The defaults are the definition that reproduces the paper's Tables 5 and 6 to every printed digit
        (docs/information-density.md).
        """

        model: Literal["bigram", "add-k", "kneser-ney", "transformer"] = "bigram"
        """What judges: `bigram` by maximum likelihood on the corpus itself, `add-k` or `kneser-ney` held out, or
        `transformer`, the causal `backbone`.
        """
        folds: Count | None = None
        """Parts of the corpus, each judged by a model of the others; none is 5, 1 a model of the whole."""
        k: Annotated[float, Gt(0), Le(1000)] = 1.0
        """What `add-k` adds to every count."""
        backbone: Annotated[str, backbone] = "smollm2"
        """The causal model of `model=transformer`: one of `cdner-bench models list`, a folder, or a hub's name."""
        window: Annotated[int, Ge(2)] | None = None
        """How many tokens the transformer reads at once; none: as many as it can."""
        stride: Count | None = None
        """By how many tokens the window moves on in longer units; none: half a window."""
        unit: str = "natural"
        """What surprisal is summed over: `natural`, `explanation`, `sentence`, `line` or `document`, as the corpus has
        it.
        """
        tokens: str = "whitespace"
        """What has a surprisal: what white space separates, `word` (signs apart), or the pieces of a tokenizer, by a
        folder's or a hub's name.
        """
        lowercase: bool = False
        """Read everything in lower case."""
        base: Base = "2"
        """The base of the logarithm."""
        normalise: Normalise = "token"
        """What the sum over a unit is divided by: its tokens, its bigrams, or nothing."""
        operationalisation: Operationalisation = "mean"
        """What is made of a unit's surprisals: their mean, their variance, the mean squared difference of neighbours
        (`local`), or the mean of powers (`super-linear`).
        """
        exponent: Annotated[float, Gt(1), Le(10)] = 1.25
        """The power of `super-linear`."""
        batch_tokens: Annotated[Count | None, operational] = None
        """How many tokens the transformer reads at a time."""
        sample_tokens: Count = 10_000
        """How many tokens a sample has for `sample_variance`, which may be compared between corpora of different size.
        """
        samples: Count = 20
        """How many samples are drawn for `sample_variance`."""
        points: Count = 5_000
        """How many units are kept one by one at most."""

    options: Options

    def measure(self, corpus: Text, run: RunContext) -> Measurement:
        """Raises `DataError` if no unit of the corpus has a surprisal."""
        o = self.options
        self._refuse_idle()
        self.per_unit = PerUnit(o.operationalisation, o.normalise, o.base, o.exponent)
        return (
            self._measure_by_transformer(corpus, run)
            if o.model == "transformer"
            else self._measure_by_bigrams(corpus, run)
        )

    def _measure_by_bigrams(self, corpus: Text, run: RunContext) -> Measurement:
        o = self.options
        pairs = count_pairs(corpus, Reading(o.unit, o.tokens, o.lowercase), run)
        tokens = pairs.tokens
        with run.phase("score"):
            length, values, without = self._compute_values(pairs, run.seed)
        own = self._judges_itself
        numbers = {"tokens": tokens.tokens, "types": tokens.types, "bigrams": pairs.distinct}
        sample, why = self._sample(tokens, run) if own else (None, "")
        notes = [note for note in (SELF_ESTIMATED, why) if own and note]
        return self._make_measurement(corpus, numbers, (length, values, without), sample, notes, run.seed)

    def _measure_by_transformer(self, corpus: Text, run: RunContext) -> Measurement:
        o = self.options
        try:
            from .causal import CausalModel
        except ImportError as error:
            raise PluginError(
                f"model=transformer cannot be had: {error}", hint="pip install 'cdner-bench[density,torch]'"
            ) from None
        with run.phase("load"):
            model = CausalModel(run.backbone(o.backbone), window=o.window, stride=o.stride, batch_tokens=o.batch_tokens)
        run.describe(backbone=o.backbone, trained=0, total=model.parameters, precision="fp32")
        surprisals = model.surprisals(line for line in corpus.lines(o.unit) if line.strip())
        parts, tokens = [], 0
        with run.phase("score"):
            while some := [nats / np.log(2) for nats in islice(surprisals, _STRETCH)]:
                lengths = [len(s) for s in some if len(s)]
                parts.append(self._reduce(sum_up([s for s in some if len(s)], lengths, o.exponent)))
                tokens += sum(lengths)
                run.progress(corpus.read, corpus.size, tokens=tokens)
        if not parts:
            raise DataError(f"{corpus.name} has no tokens, only white space", hint="name a text with words")
        sizes = {"tokens": tokens, "types": None, "bigrams": None}
        return self._make_measurement(corpus, sizes, _join(parts), None, [], run.seed)

    def _compute_values(self, pairs: Bigrams, seed: int) -> tuple[Floats, Floats, int]:
        """Length and number of each unit that has the number, and how many have not."""
        o = self.options
        if o.model == "bigram":
            return _join(pairs.map(self._reduce, o.exponent if o.operationalisation == "super-linear" else 0.0))
        model = smoothing.add_k(o.k) if o.model == "add-k" else smoothing.kneser_ney
        random = np.random.default_rng([seed, 1])
        return self._reduce(smoothing.score_held_out(pairs.tokens, model, o.folds or FOLDS, o.exponent, random))

    def _reduce(self, units: Units) -> tuple[Floats, Floats, int]:
        has = self.per_unit.has(units)
        return units.length[has].astype(np.uint32), self.per_unit.of(units)[has], int(len(has) - has.sum())

    def _sample(self, tokens: Tokens, run: RunContext) -> tuple[tuple[float, Interval] | None, str]:
        """The variance on samples of equal size, if there can be such; and what is to be said about it."""
        o = self.options
        if tokens.tokens < o.sample_tokens:
            return None, f"There are fewer than sample_tokens={o.sample_tokens:,} tokens: no sample_variance."

        def statistic(n: int) -> float | None:
            random = np.random.default_rng([run.seed, 2, n])
            _, values, _ = self._compute_values(Bigrams(tokens.sample(o.sample_tokens, random)), run.seed)
            run.progress(n + 1, o.samples)
            return intervals.variance(values)[0] if len(values) >= intervals.LEAST else None

        with run.phase("sample"):
            variances = [value for value in map(statistic, range(o.samples)) if value is not None]
        if len(variances) < o.samples:
            why = f"Samples of sample_tokens={o.sample_tokens:,} have fewer than {intervals.LEAST} units"
            return None, f"{why}: no sample_variance."
        much = "A sample has more than half of the tokens: the interval of sample_variance is too narrow."
        return intervals.spread(variances), much if tokens.tokens < 2 * o.sample_tokens else ""

    def _refuse_idle(self) -> None:
        """Raise `OptionError` for an option that would do nothing, and make another row of the same numbers."""
        o, default = self.options, type(self.options)()
        for name, (deciding, values) in GOES_WITH.items():
            if getattr(o, name) != getattr(default, name) and getattr(o, deciding) not in values:
                raise OptionError(
                    f"option {name} does nothing with {deciding}={getattr(o, deciding)}",
                    hint=f"leave it out, or take -o {deciding}={' or '.join(values)}",
                )
        for name in ("samples", "sample_tokens"):
            if getattr(o, name) != getattr(default, name) and not self._judges_itself:
                raise OptionError(
                    f"option {name} does nothing with model={o.model}, which is held out: there is no sample_variance",
                    hint="leave it out, or take -o model=bigram",
                )

    @property
    def _judges_itself(self) -> bool:
        """Whether the model is estimated on the corpus that it judges."""
        return self.options.model == "bigram" or (self.options.model in _HELD_OUT and self.options.folds == 1)

    def _make_measurement(
        self,
        corpus: Text,
        sizes: Mapping[str, int | None],
        measured: tuple[Floats, Floats, int],
        sample: tuple[float, Interval] | None,
        notes: list[str],
        seed: int,
    ) -> Measurement:
        o = self.options
        length, values, without = measured
        if not len(values):
            least = "three tokens" if o.operationalisation == "local" else "two tokens"
            hint = f"units of {corpus.name}: {', '.join(corpus.units)} (-o unit=NAME)"
            raise DataError(f"no unit of {corpus.name} has a surprisal: none has {least}", hint=hint)
        if without:
            notes = [*notes, f"{without:,} units are too short to have a surprisal, and are left out."]
        variance, interval = intervals.variance(values)
        if interval is None:
            notes = [*notes, f"There are fewer than {intervals.LEAST} units: no interval of the variance."]
        per = {"token": " per token", "bigram": " per bigram", "none": ""}[o.normalise]
        unit = f"{NAMES[o.base]}²" if o.operationalisation in ("variance", "local") else f"{NAMES[o.base]}{per}"
        columns = intervals.thin([length, values], o.points, np.random.default_rng([seed, 3]))
        return Measurement(
            numbers={
                "units": len(values),
                **sizes,
                "mean": float(values.mean()),
                "variance": variance,
                "sample_variance": sample and sample[0],
            },
            intervals={
                **({"variance": interval} if interval else {}),
                **({"sample_variance": sample[1]} if sample else {}),
            },
            columns=dict(zip(("length", "uid"), columns, strict=True)),
            plots=[
                Plot("by-length", "points", "uid", f"UID ({unit})", "length", "tokens of the unit"),
                Plot("variance", "bars", "variance", "variance of UID"),
                Plot("sample-variance", "bars", "sample_variance", f"variance of UID, {o.sample_tokens:,} tokens"),
            ],
            notes=notes,
        )


def _join(parts: Sequence[tuple[Floats, Floats, int]]) -> tuple[Floats, Floats, int]:
    lengths, values, without = zip(*parts, strict=True)
    return np.concatenate(lengths), np.concatenate(values), sum(without)
