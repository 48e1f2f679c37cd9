"""What the presets of taggers have in common for a small encoder."""

SMALL: dict[str, object] = {
    "backbone": "minilm",
    "finetuning.dropout": 0.0,
    "source.learning_rate": 1e-4,
    "target.learning_rate": 3e-4,
    "target.schedule": "linear",
    "target.patience": None,
}
QUICK: dict[str, object] = {
    "finetuning.batch_size": 8,
    "target.learning_rate": 4e-4,
}
