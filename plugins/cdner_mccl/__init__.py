"""MCCL: an LSTM with a memory cell for each type, which source and target share, and a CRF for each of the two."""

from cdner_bench import Spec, hookimpl
from cdner_torch import budgets

_SMALL: dict[str, object] = {
    "backbone": "minilm",
    "words.encoder": "trained",
    "words.encoder_dropout": 0.0,
    "words.dropout": 0.1,
    "target.optimizer": "adam",
    "target.schedule": "linear",
    "target.learning_rate": 3e-3,
    "target.encoder_rate": 0.1,
}
_PRESETS: dict[str, dict[str, object]] = {
    "paper": {"backbone": "bert-base-cased"},
    "cpu": {
        **_SMALL,
        **budgets.CPU,
        "target.batch_size": 16,
    },
    "quick": {
        **_SMALL,
        **budgets.QUICK,
        "target.batch_size": 8,
    },
}


@hookimpl
def register_methods() -> list[Spec]:
    """The multi-cell compositional LSTM, `mccl`."""
    return [
        Spec(
            "mccl",
            "cdner_mccl.method:Mccl",
            "a multi-cell compositional LSTM on an encoder, with a CRF each for source and target (MCCL)",
            given=("source labels", "target labels", "a pre-trained model"),
            presets=_PRESETS,
            extra="torch",
            revision=1,
        )
    ]
