"""What the presets by which boards compare let each method learn, and in which precision."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

pytest.importorskip("torch")

from cdner_bench import plugins
from cdner_torch import budgets

OWN: Mapping[tuple[str, str], Mapping[str, object]] = {
    ("lightner", "quick"): {"target.epochs": 20, "dev.every": 5},
    ("gliner2", "cpu"): {"target.epochs": 10, "dev.every": 2},  # if it is told to learn
}
"""Where a method's page says that it learns otherwise."""


@pytest.mark.parametrize(("preset", "budget"), [("cpu", budgets.CPU), ("quick", budgets.QUICK)])
def test_a_preset_lets_every_method_learn_as_much(preset: str, budget: Mapping[str, object]) -> None:
    for entry in plugins.discover():
        options = entry.spec.resolve(preset, {})
        if hasattr(options, "source"):
            found = {}
            for name in budget:
                group, option = name.split(".")
                found[name] = getattr(getattr(options, group), option)
            assert found == {**budget, **OWN.get((entry.spec.name, preset), {})}, entry.spec.name
