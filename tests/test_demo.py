"""The first five minutes: real small backbones, shipped or out of the package registry, on the shipped sample.

Whether they learn anything is measured by perf/learning.py.
"""

from __future__ import annotations

import pytest

from cdner_bench.errors import FetchError
from cdner_bench.io import models
from support import Run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("method", "target", "backbone", "options"),
    [("bert-tagger", "ai", "minilm", ()), ("topt", "music", "minilm2minilm", ("masked_copies=1", "max_answer=48"))],
)
def test_what_the_demo_runs_finishes(
    method: str, target: str, backbone: str, options: tuple[str, ...], cli: Run
) -> None:
    """A short version of what `make demo` runs: one target, an epoch of each stage."""
    try:
        models.fetch(backbone)
    except FetchError as error:
        pytest.skip(str(error))
    command = ["run", "--method", method, "--setting", "single", "--benchmark", "mini", "--target", target]
    done = cli(*command, *(word for o in ("epochs=1", "source_epochs=1", *options) for word in ("-o", o)))
    assert done.returncode == 0, done.stderr + done.stdout
    (line,) = (line for line in done.stdout.splitlines() if "finished, F1 " in line)
    assert 0 <= float(line.split("finished, F1 ")[1].split()[0].rstrip(",")) <= 100
    assert backbone in done.stdout
