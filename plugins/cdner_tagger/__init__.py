"""Token classification on any encoder: the plain CrossNER tagger, and the same after masked-LM on GTOK."""

from cdner_bench import Spec, hookimpl

_SMALL: dict[str, object] = {
    "backbone": "minilm",
    "learning_rate": 3e-4,
    "source_learning_rate": 1e-4,
    "schedule": "linear",
    "dropout": 0.0,
}
_PRESETS: dict[str, dict[str, object]] = {
    # CrossNER's BertTagger: Adam 5e-5, batch 16, 2 source epochs, early stop after 8 epochs without a better dev F1.
    "paper": {"backbone": "bert-base-cased"},
    "cpu": {**_SMALL, "source_sentences": 4000, "epochs": 20, "dev_every": 2, "mlm_epochs": 5},
    "quick": {**_SMALL, "source_epochs": 2, "epochs": 15, "dev_every": 3, "mlm_epochs": 2},
}


@hookimpl
def register_methods() -> list[Spec]:
    """`bert-tagger` and `bert-gtok`."""
    return [
        Spec(
            "bert-tagger",
            "cdner_tagger.method:BertTagger",
            "token classification on an encoder: source domains first, then the target (CrossNER's BertTagger)",
            presets=_PRESETS,
            extra="torch",
            revision=1,
        ),
        Spec(
            "bert-gtok",
            "cdner_tagger.method:BertTagger",
            "the same after masked-LM pre-training on the target's GTOK explanations (TOPT, Table 9)",
            options={"pretraining": "gtok"},
            presets=_PRESETS,
            resources=("gtok",),
            extra="torch",
            revision=1,
        ),
    ]
