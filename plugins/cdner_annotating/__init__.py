"""A language model labels text of the target domain, and a tagger learns from that and from the target's own labels."""

from cdner_bench import Spec, hookimpl

_SMALL: dict[str, object] = {
    "backbone": "minilm",
    "annotator.base_url": "local",
    "annotator.shots": 4,
    "annotator.demonstrations": "nearest",
    "finetuning.dropout": 0.0,
    "source.epochs": 1,
    "source.learning_rate": 1e-4,
    "target.learning_rate": 3e-4,
    "target.schedule": "linear",
    "target.patience": None,
}
_PRESETS: dict[str, dict[str, object]] = {
    "paper": {
        "backbone": "bert-base-cased",
        "annotator.model": "gpt-4",
        "annotator.shots": 16,
        "annotator.demonstrations": "nearest",
    },
    "cpu": {
        **_SMALL,
        "annotator.model": "qwen",
        "annotator.max_tokens": 256,
        "text.sentences": 400,
        "source.sentences": 2000,
        "target.epochs": 20,
        "dev.every": 5,
        "dev.sentences": 100,
    },
    "quick": {
        **_SMALL,
        "annotator.model": "smollm2",
        "annotator.max_tokens": 96,
        "network.precision": "fp32",
        "finetuning.batch_size": 8,
        "text.sentences": 40,
        "source.sentences": 40,
        "target.epochs": 5,
        "target.learning_rate": 4e-4,
        "dev.every": 3,
    },
}


@hookimpl
def register_methods() -> list[Spec]:
    """The method `annotate-then-tag`, with a preset for each size of study."""
    return [
        Spec(
            "annotate-then-tag",
            "cdner_annotating.method:AnnotateThenTag",
            "a language model labels text of the target, bert-tagger learns from that and from the target's labels",
            given=("source labels", "target labels", "unlabelled text", "a pre-trained model"),
            presets=_PRESETS,
            resources=("dapt",),
            extra="annotating",
            revision=1,
        )
    ]
