"""Entities found by the names of their types, with the extractors of the package `gliner2`."""

from cdner_bench import Spec, hookimpl

_SMALL: dict[str, object] = {
    "backbone": "fastino/gliner2.5-small-v1",
    "finetuning.dropout": 0.0,
    "source.epochs": 1,
}
_PAPER: dict[str, object] = {"backbone": "fastino/gliner2-base-v1"}
_CPU: dict[str, object] = {**_SMALL, "source.sentences": 2000, "dev.every": 2, "dev.sentences": 100}
_TUNED: dict[str, object] = {"finetuning.transfer": "pretrain-finetune"}
_PRESETS: dict[str, dict[str, object]] = {
    "paper": _PAPER,
    "cpu": _CPU,
    "quick": {
        **_SMALL,
        "network.precision": "fp32",
        "source.sentences": 40,
        "target.epochs": 5,
        "dev.every": 3,
    },
    "finetuned": {**_PAPER, **_TUNED},
    "finetuned-cpu": {**_CPU, **_TUNED},
}
_TRANSFER = "finetuning.transfer"


@hookimpl
def register_methods() -> list[Spec]:
    """The method `gliner2`: zero-shot, unless it is told to learn."""
    return [
        Spec(
            "gliner2",
            "cdner_gliner2.method:Gliner2",
            "spans matched with the names of types by a GLiNER2: zero-shot, or fine-tuned on sources and target",
            given=(
                ("source labels", _TRANSFER, ("pretrain-finetune",)),
                ("target labels", _TRANSFER, ("direct", "pretrain-finetune")),
                "a pre-trained model",
            ),
            presets=_PRESETS,
            extra="gliner2",
            revision=1,
        )
    ]
