"""A large decoder, quantised to 4 bits and frozen, learns through low-rank adapters (TOPT's appendix F)."""

from cdner_bench import Spec, hookimpl

_SMALL: dict[str, object] = {
    "backbone": "smollm2",
    "dropout": 0.0,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "source_epochs": 1,
}
_PRESETS: dict[str, dict[str, object]] = {
    "paper": {"backbone": "meta-llama/Llama-2-7b-hf"},
    "cpu": {**_SMALL, "source_sentences": 1000, "epochs": 10, "dev_every": 5, "dev_sentences": 64, "max_answer": 128},
    "quick": {**_SMALL, "source_sentences": 80, "epochs": 3, "select": "last", "max_answer": 96},
}


@hookimpl
def register_methods() -> list[Spec]:
    """`qlora-llama2` and `lora-llama2`."""
    return [
        Spec(
            "qlora-llama2",
            "cdner_qlora.method:Qlora",
            "instruction tuning of a 4-bit decoder through low-rank adapters, sources first (Llama-2-7B QLoRA)",
            presets=_PRESETS,
            extra="qlora",
            revision=1,
        ),
        Spec(
            "lora-llama2",
            "cdner_qlora.method:Qlora",
            "the same without quantisation (LoRA)",
            options={"quantisation": "none"},
            presets=_PRESETS,
            extra="qlora",
            revision=1,
        ),
    ]
