"""Label-aware NER: an encoder that names each word by what it said of the words before."""

from cdner_bench import Spec, hookimpl
from cdner_torch import budgets
from cdner_torch.tagging import presets

_PRESETS: dict[str, dict[str, object]] = {
    "paper": {"backbone": "bert-base-cased"},
    "cpu": {
        **presets.SMALL,
        **budgets.CPU,
        "mlm.dapt_tokens": 65_000,
        "mlm.epochs": 5,
    },
    "quick": {
        **presets.SMALL,
        **presets.QUICK,
        **budgets.QUICK,
        "mlm.block": 64,
        "mlm.epochs": 2,
        "mlm.learning_rate": 1e-5,
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
                ("source labels", "finetuning.transfer", ("pretrain-finetune", "joint")),
                "target labels",
                "a pre-trained model",
                ("unlabelled text", "pretraining", ("dapt",)),
            ),
            presets=_PRESETS,
            resources=(("dapt", "pretraining", ("dapt",)),),
            extra="torch",
            revision=1,
        ),
    ]
