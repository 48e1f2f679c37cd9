"""Fixtures: the shipped sample, the real corpora where they are present, and places to write."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from cdner_bench.cli import main
from cdner_bench.data import Benchmark, benchmark
from support import ROOT, Run

SHARED = ROOT.parent / "shared" / "data"
os.environ["HF_HUB_OFFLINE"] = "1"  # no test waits for a hub
# Workers share the cores: each computes with one thread, and an idle thread sleeps. Set before torch is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "CDNER_DATA" not in os.environ and SHARED.is_dir():
    os.environ["CDNER_DATA"] = str(SHARED)


# A busy machine is slow, and no fault of what is tested. Where a change is judged, examples are the same each time:
# what a new draw finds is found by whoever runs the tests at home, and is no fault of that change.
settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def mini() -> Benchmark:
    return benchmark.load("mini")


@pytest.fixture(scope="session")
def crossner() -> Benchmark:
    found = benchmark.load("crossner")
    if not found.is_present():
        pytest.skip("the CrossNER data is not here (CDNER_DATA)")
    return found


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A decoder of a few thousand random parameters that knows bytes and no sentinels, with a chat template."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder: Path = tmp_path_factory.mktemp("tiny-llama")
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({piece: n for n, piece in enumerate([*letters, "<end>"])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(letters) + 1, hidden_size=32, intermediate_size=64, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=2048, bos_token_id=None, eos_token_id=len(letters),
    )  # fmt: skip
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>")
    fast.chat_template = "{% for m in messages %}{{ m['content'] }}\n{% endfor %}"
    LlamaForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def cli(tmp_path: Path) -> Run:
    """Type a command, in an empty folder, as a user would."""

    def run(*arguments: object, cwd: Path = tmp_path, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cdner_bench", *map(str, arguments)]
        env = {**os.environ, "COLUMNS": "200", **environment}
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)

    return run


@pytest.fixture
def typed(tmp_path: Path) -> Run:
    """As `cli`, but in this process, for a tenth of the time: where nothing is asked about the process itself, as what
    it imports, its environment of Python, its streams, or how it is ended.
    """

    def run(*arguments: object, cwd: Path = tmp_path, **environment: str) -> subprocess.CompletedProcess[str]:
        words = [*map(str, arguments)]
        said, told = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(told):
            patch.chdir(cwd)
            for name, value in {"COLUMNS": "200", **environment}.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main(words)
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(words, ended.value.code, said.getvalue(), told.getvalue())

    return run
