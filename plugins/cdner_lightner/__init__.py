"""LightNER: a frozen encoder-decoder whose attention is guided by prefixes points at the words of entities."""

from cdner_bench import Spec, hookimpl
from cdner_torch import budgets

_SMALL: dict[str, object] = {
    "backbone": "minilm2minilm",
    "network.dropout": 0.0,
    "network.freeze": False,
    "network.head_dropout": 0.0,
    "source.learning_rate": 2e-4,
    "source.batch_size": 8,
    "target.learning_rate": 2e-4,
    "target.batch_size": 8,
}
_PRESETS: dict[str, dict[str, object]] = {
    "paper": {"backbone": "facebook/bart-large"},
    "cpu": {**_SMALL, **budgets.CPU},
    # Five epochs of the target teach it nothing yet (docs/lightner.md).
    "quick": {**_SMALL, **budgets.QUICK, "target.epochs": 20, "dev.every": 5},
}


@hookimpl
def register_methods() -> list[Spec]:
    """Pointers of a model with prompt-guided attention, `lightner`."""
    return [
        Spec(
            "lightner",
            "cdner_lightner.method:LightNer",
            "pointers at the words of entities by an encoder-decoder with prompt-guided attention (LightNER)",
            given=("source labels", "target labels", "a pre-trained model"),
            presets=_PRESETS,
            extra="torch",
            revision=1,
        ),
    ]
