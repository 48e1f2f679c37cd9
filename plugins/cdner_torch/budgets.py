"""What the presets `cpu` and `quick` let every method learn that learns, so that boards can compare by them. `quick`
learns in fp32, so that its runs end alike on every machine.
"""

CPU: dict[str, object] = {
    "source.sentences": 2000,
    "source.epochs": 1,
    "target.epochs": 20,
    "dev.every": 5,
    "dev.sentences": 100,
}
QUICK: dict[str, object] = {
    "network.precision": "fp32",
    "source.sentences": 40,
    "source.epochs": 1,
    "target.epochs": 5,
    "dev.every": 3,
}
