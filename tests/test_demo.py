"""The first five minutes: real small backbones, shipped or out of the package registry, on the shipped sample."""

from __future__ import annotations

import pytest

from cdner_bench.errors import FetchError
from cdner_bench.io import models
from support import Run


def test_a_real_transfer_on_the_sample_works(cli: Run) -> None:
    """A short version of what `make demo` runs: one target, fewer epochs; well above what guessing gets."""
    try:
        models.fetch("minilm")
    except FetchError as error:
        pytest.skip(str(error))
    command = ["run", "--method", "bert-tagger", "--setting", "single", "--benchmark", "mini", "--target", "ai"]
    done = cli(*command, "-o", "epochs=9", "-o", "source_epochs=1")
    assert done.returncode == 0, done.stderr + done.stdout
    (line,) = (line for line in done.stdout.splitlines() if "finished, F1 " in line)
    assert float(line.split("finished, F1 ")[1].split()[0]) > 25
    assert "minilm" in done.stdout


def test_topt_learns_the_sample_with_the_shipped_t5(cli: Run) -> None:
    """A short version of what `make demo` runs. An untrained model scores 0, and so does one that cannot copy."""
    command = ["run", "--method", "topt", "--setting", "single", "--benchmark", "mini", "--target", "music"]
    done = cli(*command, "-o", "epochs=12", "-o", "dev_every=4", "-o", "masked_copies=1", "-o", "source_epochs=2")
    assert done.returncode == 0, done.stderr + done.stdout
    (line,) = (line for line in done.stdout.splitlines() if "finished, F1 " in line)
    assert float(line.split("finished, F1 ")[1].split()[0]) > 8
    assert "minit5" in done.stdout
