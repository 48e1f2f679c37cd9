"""TOPT (task-oriented pre-training and text-to-text transfer) and the two ablations of its Table 2."""

from cdner_bench import Spec, hookimpl

SHARES = ("cdner_torch", "cdner_bench.gtok", "cdner_bench.text2text")

_SMALL: dict[str, object] = {
    "backbone": "minit5",
    "dropout": 0.0,
    "mslm_learning_rate": 5e-4,
    "mslm_batch_size": 32,
    "source_learning_rate": 1e-3,
    "learning_rate": 1e-3,
    "max_answer": 160,
}
_PRESETS: dict[str, dict[str, object]] = {
    "paper": {"backbone": "google/flan-t5-base"},
    "cpu": {
        **_SMALL,
        "masked_copies": 5,
        "mslm_epochs": 1,
        "source_sentences": 2000,
        "source_epochs": 2,
        "epochs": 20,
        "dev_every": 5,
    },
    "quick": {**_SMALL, "masked_copies": 5, "mslm_epochs": 1, "source_epochs": 10, "epochs": 20, "dev_every": 5},
}


@hookimpl
def register_methods() -> list[Spec]:
    """`topt`, `topt-no-gtok` and `topt-dapt`."""
    return [
        Spec(
            "topt",
            "cdner_topt.method:Topt",
            "text-to-text transfer after masked-span pre-training on GTOK explanations (TOPT)",
            presets=_PRESETS,
            resources=("gtok",),
            extra="torch",
        ),
        Spec(
            "topt-no-gtok",
            "cdner_topt.method:Topt",
            "the same without the pre-training (TOPT, w/o GTOK)",
            options={"pretraining": "none"},
            presets=_PRESETS,
            extra="torch",
        ),
        Spec(
            "topt-dapt",
            "cdner_topt.method:Topt",
            "the same with pre-training on unlabelled text of the domain (TOPT, w/ DAPT)",
            options={"pretraining": "dapt"},
            presets=_PRESETS,
            resources=("dapt",),
            extra="torch",
        ),
    ]
