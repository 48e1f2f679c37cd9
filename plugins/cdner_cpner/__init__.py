"""CP-NER: a frozen text-to-text model with a prefix for each domain, and the domains' prefixes brought together."""

from cdner_bench import Spec, hookimpl
from cdner_torch import budgets

_SMALL: dict[str, object] = {
    "backbone": "minilm2minilm",
    "network.dropout": 0.0,
    "prefix.dropout": 0.0,
    "finetuning.wording": "items",
    "source.learning_rate": 1e-3,
    "source.select": "last",
    "own.learning_rate": 1e-3,
    "target.learning_rate": 1e-3,
    "target.batch_size": 8,
}
_PRESETS: dict[str, dict[str, object]] = {
    "paper": {"backbone": "t5-base"},
    "cpu": {
        **_SMALL,
        **budgets.CPU,
        "own.epochs": 10,
    },
    "quick": {
        **_SMALL,
        **budgets.QUICK,
        "own.epochs": 5,
        "decoding.max_answer": 128,
    },
}


@hookimpl
def register_methods() -> list[Spec]:
    """Collaborative domain-prefix tuning, `cp-ner`."""
    return [
        Spec(
            "cp-ner",
            "cdner_cpner.method:CpNer",
            "a prefix for each domain on a frozen text-to-text model, the domains' prefixes then combined (CP-NER)",
            given=("source labels", "target labels", "a pre-trained model"),
            presets=_PRESETS,
            extra="torch",
            revision=1,
        ),
    ]
