"""TOPT (task-oriented pre-training and text-to-text transfer) and the two ablations of its Table 2."""

from cdner_bench import Spec, hookimpl
from cdner_torch import budgets

_SMALL: dict[str, object] = {
    "backbone": "minilm2minilm",
    "network.dropout": 0.0,
    "mslm.epochs": 1,
    "mslm.batch_size": 16,
    "mslm.learning_rate": 2e-4,
    "source.learning_rate": 2e-4,
    "target.learning_rate": 1.5e-4,
}
_PRESETS: dict[str, dict[str, object]] = {
    "paper": {"backbone": "google/flan-t5-base"},
    "cpu": {
        **_SMALL,
        **budgets.CPU,
        "mslm.masked_copies": 2,
    },
    "quick": {
        **_SMALL,
        **budgets.QUICK,
        "mslm.masked_copies": 1,
        "decoding.max_answer": 128,
    },
}
_GIVEN = (
    "source labels",
    "target labels",
    "a pre-trained model",
    ("explanations", "pretraining", ("gtok",)),
    ("unlabelled text", "pretraining", ("dapt",)),
)


@hookimpl
def register_methods() -> list[Spec]:
    """TOPT as published, `topt`, without its pre-training, `topt-no-gtok`, and with another one, `topt-dapt`."""
    return [
        Spec(
            "topt",
            "cdner_topt.method:Topt",
            "text-to-text transfer after masked-span pre-training on GTOK explanations (TOPT)",
            given=_GIVEN,
            presets=_PRESETS,
            resources=("gtok",),
            extra="torch",
            revision=2,
        ),
        Spec(
            "topt-no-gtok",
            "cdner_topt.method:Topt",
            "text-to-text transfer without any pre-training (TOPT, w/o GTOK)",
            options={"pretraining": "none"},
            given=_GIVEN,
            presets=_PRESETS,
            extra="torch",
            revision=2,
        ),
        Spec(
            "topt-dapt",
            "cdner_topt.method:Topt",
            "text-to-text transfer after masked-span pre-training on unlabelled text of the domain (TOPT, w/ DAPT)",
            options={"pretraining": "dapt"},
            given=_GIVEN,
            presets=_PRESETS,
            resources=("dapt",),
            extra="torch",
            revision=2,
        ),
    ]
