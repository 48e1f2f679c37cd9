"""LST-NER: what the source knows of the target's labels is a graph, which learning on the target keeps to."""

from cdner_bench import Spec, hookimpl

_SMALL: dict[str, object] = {
    "backbone": "minilm",
    "finetuning.dropout": 0.0,
    "source.epochs": 1,
    "source.learning_rate": 1e-4,
    "target.learning_rate": 3e-4,
    "target.schedule": "linear",
}
_PRESETS: dict[str, dict[str, object]] = {
    "paper": {"backbone": "bert-base-cased"},
    "cpu": {
        **_SMALL,
        "source.sentences": 2000,
        "target.epochs": 20,
        "dev.every": 5,
        "dev.sentences": 100,
    },
    "quick": {
        **_SMALL,
        "network.precision": "fp32",
        "finetuning.batch_size": 8,
        "source.sentences": 40,
        "target.epochs": 5,
        "target.learning_rate": 4e-4,
        "dev.every": 3,
    },
}


@hookimpl
def register_methods() -> list[Spec]:
    """Label structure transfer, `lst-ner`."""
    return [
        Spec(
            "lst-ner",
            "cdner_lst.method:LstNer",
            "a graph of the target's labels as the source sees them, fused and matched (label structure transfer)",
            given=("source labels", "target labels", "a pre-trained model"),
            presets=_PRESETS,
            extra="torch",
            revision=1,
        )
    ]
