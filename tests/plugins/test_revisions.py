"""Nobody edits a method without saying whether its runs come out as before."""

from __future__ import annotations

import tomllib

import pytest

from cdner_bench import plugins
from support import ROOT

PINS = tomllib.loads((ROOT / "plugins" / "revisions.toml").read_text(encoding="utf-8"))
REGISTRY = plugins.discover()
SHIPPED = sorted([*REGISTRY, *REGISTRY.analyses], key=lambda entry: entry.spec.name)


def test_every_method_and_analysis_is_pinned() -> None:
    assert list(PINS) == [entry.spec.name for entry in SHIPPED]


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.spec.name)
def test_code_and_revision_go_together(entry: plugins.Registered) -> None:
    pin = PINS[entry.spec.name]
    assert entry.spec.revision == pin["revision"]
    assert entry.facts.code == pin["code"], (
        f"the code behind {entry.spec.name} was edited: if its runs come out as before, type "
        "`python scripts/pin_revisions.py`; if not, raise its revision in the plugin first"
    )
