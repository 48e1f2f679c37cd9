"""TOPT (task-oriented pre-training and text-to-text transfer) and the two ablations of its Table 2."""

from cdner_bench import Spec, hookimpl

_SMALL: dict[str, object] = {
    "backbone": "minit5",
    "dropout": 0.0,
    "mslm_epochs": 1,
    "mslm_batch_size": 16,
    "mslm_learning_rate": 3e-4,
    "source_learning_rate": 3e-4,
    "learning_rate": 3e-4,
    "dev_every": 5,
    "max_answer": 128,
}
_PRESETS: dict[str, dict[str, object]] = {
    "paper": {"backbone": "google/flan-t5-base"},
    "cpu": {
        **_SMALL,
        "masked_copies": 2,
        "source_sentences": 2000,
        "source_epochs": 1,
        "epochs": 10,
        "dev_sentences": 64,
    },
    "quick": {**_SMALL, "masked_copies": 3, "source_epochs": 4, "epochs": 20},
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
            revision=1,
        ),
        Spec(
            "topt-no-gtok",
            "cdner_topt.method:Topt",
            "the same without the pre-training (TOPT, w/o GTOK)",
            options={"pretraining": "none"},
            presets=_PRESETS,
            extra="torch",
            revision=1,
        ),
        Spec(
            "topt-dapt",
            "cdner_topt.method:Topt",
            "the same with pre-training on unlabelled text of the domain (TOPT, w/ DAPT)",
            options={"pretraining": "dapt"},
            presets=_PRESETS,
            resources=("dapt",),
            extra="torch",
            revision=1,
        ),
    ]
