"""Prompting a language model: GPT-4, or any other behind an OpenAI-compatible server."""

from cdner_bench import Spec, hookimpl

_LOCAL: dict[str, object] = {"model": "smollm2", "base_url": "local"}


@hookimpl
def register_methods() -> list[Spec]:
    """The method `gpt4`, with a preset for each size of study."""
    return [
        Spec(
            "gpt4",
            "cdner_prompting.method:Prompting",
            "a language model asked for entities, by default without examples (TOPT, Table 2: GPT-4)",
            given=("a pre-trained model", ("target labels", "shots", range(1, 10**9))),
            presets={
                "paper": {"model": "gpt-4"},
                "cpu": {**_LOCAL, "max_tokens": 256},
                "quick": {**_LOCAL, "max_tokens": 96},
            },
            extra="llm",
            revision=1,
        )
    ]
