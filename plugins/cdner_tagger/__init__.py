"""Token classification on any encoder: the plain CrossNER tagger, and the same after masked-LM on GTOK or on text."""

from cdner_bench import Spec, hookimpl
from cdner_torch import budgets
from cdner_torch.tagging import presets

_PRESETS: dict[str, dict[str, object]] = {
    # CrossNER's BertTagger: Adam 5e-5, batch 16, 2 source epochs, early stop after 8 epochs without a better dev F1.
    "paper": {"backbone": "bert-base-cased"},
    "cpu": {
        **presets.SMALL,
        **budgets.CPU,
        "mlm.epochs": 5,
    },
    "quick": {
        **presets.SMALL,
        **presets.QUICK,
        **budgets.QUICK,
        "mlm.epochs": 2,
    },
}
_DAPT: dict[str, dict[str, object]] = {
    "paper": _PRESETS["paper"],
    # As many words as a corpus of explanations has, which `bert-gtok` reads as often.
    "cpu": {**_PRESETS["cpu"], "mlm.dapt_tokens": 65_000},
    # MiniLM has no head for masked-LM: one that is drawn anew leads it astray, the faster the more (docs/daptn.md).
    "quick": {**_PRESETS["quick"], "mlm.block": 64, "mlm.learning_rate": 1e-5},
}
_GIVEN = (
    ("source labels", "finetuning.transfer", ("pretrain-finetune", "joint")),
    "target labels",
    "a pre-trained model",
)
_GTOK = ("explanations", "pretraining", ("gtok",))
_TEXT = ("unlabelled text", "pretraining", ("dapt",))


@hookimpl
def register_methods() -> list[Spec]:
    """The plain tagger, `bert-tagger`, and those that read first: explanations, `bert-gtok`, or other text, `daptn`."""
    return [
        Spec(
            "bert-tagger",
            "cdner_tagger.method:BertTagger",
            "token classification on an encoder: source domains first, then the target (CrossNER's BertTagger)",
            given=(*_GIVEN, _GTOK),
            presets=_PRESETS,
            resources=(("gtok", "pretraining", ("gtok",)),),
            extra="torch",
            revision=2,
        ),
        Spec(
            "bert-gtok",
            "cdner_tagger.method:BertTagger",
            "token classification after masked-LM pre-training on the target's GTOK explanations (TOPT, Table 9)",
            options={"pretraining": "gtok"},
            given=(*_GIVEN, _GTOK),
            presets=_PRESETS,
            resources=("gtok",),
            extra="torch",
            revision=2,
        ),
        Spec(
            "daptn",
            "cdner_tagger.method:Daptn",
            "token classification after masked-LM pre-training on unlabelled text of the domain (CrossNER's DAPT)",
            given=(*_GIVEN, _TEXT),
            presets=_DAPT,
            resources=("dapt",),
            extra="torch",
            revision=1,
        ),
    ]
