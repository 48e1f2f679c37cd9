"""A language model labels text of the target domain, and a tagger learns from that and from the target's own labels."""

from cdner_bench import Spec, hookimpl
from cdner_torch import budgets
from cdner_torch.tagging import presets

_SMALL: dict[str, object] = {
    **presets.SMALL,
    "annotator.base_url": "local",
    "annotator.shots": 4,
    "annotator.demonstrations": "nearest",
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
        **budgets.CPU,
        "annotator.model": "qwen",
        "annotator.max_tokens": 256,
        "text.sentences": 400,
    },
    "quick": {
        **_SMALL,
        **presets.QUICK,
        **budgets.QUICK,
        "annotator.model": "smollm2",
        "annotator.max_tokens": 96,
        "text.sentences": 40,
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
            given=(
                "source labels",
                "target labels",
                "unlabelled text",
                "a pre-trained model",
                ("explanations", "pretraining", ("gtok",)),
            ),
            presets=_PRESETS,
            resources=("dapt", ("gtok", "pretraining", ("gtok",))),
            extra="annotating",
            revision=1,
        )
    ]
