"""Records that tests share: a result, a measurement, a run that learnt from explanations."""

from __future__ import annotations

from dataclasses import replace

from cdner_bench import CorpusName, Counts, Interval, Scenario, digest
from cdner_bench.io import Phase
from cdner_bench.llm import Usage
from cdner_bench.plugins import Measurement, ModelFacts, Number, Plot
from cdner_bench.records import BenchmarkFacts, CorpusFacts, Measured, MethodFacts, Result, Status

RESULT = Result(
    status=Status.FINISHED,
    run="0123456789abcdef",
    benchmark=BenchmarkFacts("mini", "2", "00"),
    scenario=Scenario("single", ("news",), "ai"),
    method=MethodFacts("m", "1", "quick", {"backbone": "b", "epochs": 3}, "b"),
    seed=0,
    model=ModelFacts("b", 10, 20, "fp32"),
    scores={"span-f1": {"task": Counts(1, 2, 3)}, "topt-released": {"task": Counts(2, 0, -1)}},
    sentences=[Counts(1, 0, 3), Counts(0, 2, 0)],
    doubts=[],
    phases=[Phase("fit", 1.5, epochs=3, sentences=30), Phase("predict", 0.5, sentences=2)],
    usage=Usage(
        "m-2026-01-01",
        "host",
        "0123abcd",
        "2026-01-01",
        "2026-01-02",
        3,
        {"answered": 2, "refused": 1},
        300,
        30,
        0.5,
        {"p50": 0.5, "p90": 1.0, "p99": 2.0},
        1,
        (100, 5),
        0,
    ),
    device="cpu",
    peak_memory=1 << 20,
    provenance={"created": "2026-01-01T00:00:00+00:00"},
)


POINTS = Plot("uid-by-length", "points", y="uid", y_label="UID (bits per token)", x="length", x_label="length (tokens)")
BARS = Plot("uid-variance", "bars", y="variance", y_label="variance of UID")


def measured(corpus: str, domain: str | None, variance: Number = 0.1, seed: int = 0, **options: object) -> Measured:
    intervals = {} if corpus == "dapt" or variance is None else {"variance": Interval(0.05, 0.15)}
    columns = {"length": [3.0, 12.0], "uid": [1 / 3, 2.0]}
    return Measured(
        MethodFacts("uid", "1", None, {"unit": "natural", **options}),
        CorpusFacts(corpus, domain, "mini", "2", "00"),
        seed,
        Measurement({"variance": variance}, columns=columns, plots=[POINTS, BARS], intervals=intervals),
    )


def name_run(method: MethodFacts, target: str, seed: int) -> str:
    """An id that no other run of the samples has."""
    return digest([method.row, target, seed])[:16]


KNOWLEDGE_OPTIONS = ("pretraining", "gtok_folder", "gtok_mix", "gtok_mix_unit")


def run(tp: int, target: str = "ai", seed: int = 0, **options: object) -> Result:
    """A run whose F1 is `tp` percent, and which learnt from explanations, mixed as its options say."""
    mixture = CorpusName("gtok", options.get("gtok_mix") or None, options.get("gtok_mix_unit", "explanations"))  # type: ignore[arg-type]
    method = replace(
        RESULT.method,
        name="topt",
        options={"backbone": "b", "pretraining": "gtok", **options},
        knowledge_options=KNOWLEDGE_OPTIONS,
    )
    return replace(
        RESULT,
        method=method,
        scenario=Scenario("single", ("news",), target),
        seed=seed,
        departures=tuple(options),
        run=name_run(method, target, seed),
        scores={"span-f1": {"task": Counts(tp, 100 - tp, 100 - tp)}},
        sentences=[Counts(tp, 100 - tp, 100 - tp)],
        learnt_from=None if options.get("pretraining", "gtok") != "gtok" else str(mixture),
    )
