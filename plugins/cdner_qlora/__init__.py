"""A large decoder, quantised to 4 bits and frozen, learns through low-rank adapters (TOPT's appendix F)."""

from cdner_bench import Spec, hookimpl
from cdner_torch import budgets

_SMALL: dict[str, object] = {
    "backbone": "smollm2",
    "adapters.dropout": 0.0,
    "finetuning.batch_size": 8,
    "finetuning.learning_rate": 1e-3,
}
_PRESETS: dict[str, dict[str, object]] = {
    "paper": {"backbone": "meta-llama/Llama-2-7b-hf"},
    "cpu": {**_SMALL, **budgets.CPU},
    "quick": {**_SMALL, **budgets.QUICK, "decoding.max_answer": 96},
}
_GIVEN = ("source labels", "target labels", "a pre-trained model")


@hookimpl
def register_methods() -> list[Spec]:
    """The method with quantisation, `qlora-llama2`, and without, `lora-llama2`."""
    return [
        Spec(
            "qlora-llama2",
            "cdner_qlora.method:Qlora",
            "instruction tuning of a 4-bit decoder through low-rank adapters, sources first (Llama-2-7B QLoRA)",
            given=_GIVEN,
            presets=_PRESETS,
            extra="qlora",
            revision=2,
        ),
        Spec(
            "lora-llama2",
            "cdner_qlora.method:Qlora",
            "instruction tuning of an unquantised decoder through low-rank adapters, sources first (Llama-2-7B LoRA)",
            options={"adapters.quantisation": "none"},
            given=_GIVEN,
            presets=_PRESETS,
            extra="qlora",
            revision=2,
        ),
    ]
