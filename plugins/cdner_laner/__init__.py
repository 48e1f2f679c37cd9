"""Label-aware NER: an encoder that names each word by what it said of the words before."""

from cdner_bench import Spec, hookimpl

_SMALL: dict[str, object] = {
    "backbone": "minilm",
    "finetuning.dropout": 0.0,
    "source.epochs": 1,
    "source.learning_rate": 1e-4,
    "target.learning_rate": 3e-4,
    "target.schedule": "linear",
    "target.patience": None,
}
_PRESETS: dict[str, dict[str, object]] = {
    "paper": {"backbone": "bert-base-cased"},
    # The sentences, epochs and choices on dev of `bert-tagger`.
    "cpu": {
        **_SMALL,
        "mlm.dapt_tokens": 65_000,
        "mlm.epochs": 5,
        "source.sentences": 2000,
        "target.epochs": 20,
        "dev.every": 5,
        "dev.sentences": 100,
    },
    "quick": {
        **_SMALL,
        "network.precision": "fp32",
        "finetuning.batch_size": 8,
        "mlm.block": 64,
        "mlm.epochs": 2,
        "mlm.learning_rate": 1e-5,
        "source.sentences": 40,
        "target.epochs": 5,
        "target.learning_rate": 4e-4,
        "dev.every": 3,
    },
}


@hookimpl
def register_methods() -> list[Spec]:
    """The one method."""
    return [
        Spec(
            "laner",
            "cdner_laner.method:Laner",
            "token classification by states and the labels of the words before, one after the other (LANER)",
            given=(
                "source labels",
                "target labels",
                "a pre-trained model",
                ("unlabelled text", "pretraining", ("dapt",)),
            ),
            presets=_PRESETS,
            extra="torch",
            revision=1,
        ),
    ]
