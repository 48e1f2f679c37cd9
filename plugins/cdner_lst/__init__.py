"""LST-NER: what the source knows of the target's labels is a graph, which learning on the target keeps to."""

from cdner_bench import Spec, hookimpl
from cdner_torch import budgets
from cdner_torch.tagging import presets

_PRESETS: dict[str, dict[str, object]] = {
    "paper": {"backbone": "bert-base-cased"},
    "cpu": {**presets.SMALL, **budgets.CPU},
    "quick": {**presets.SMALL, **presets.QUICK, **budgets.QUICK},
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
