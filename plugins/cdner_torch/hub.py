"""Backbones from a folder or a hub, without noise, with errors that say what to do.

The only place that knows of GGUF: a folder whose weights are such a file is loaded like any other.
"""

from __future__ import annotations

import warnings
from contextlib import nullcontext, redirect_stderr
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from huggingface_hub.utils import logging as hub_logging
from safetensors import SafetensorError
from transformers import AutoTokenizer
from transformers.utils import logging

from cdner_bench import CdnerError

logging.set_verbosity_error()
hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
logging.disable_progress_bar()
warnings.filterwarnings("ignore", "Version v4.12.0 introduces a better way to train encoder-decoder", FutureWarning)


FEWEST = 10
"""A tokenizer of fewer tokens, special ones apart, knows no word: transformers makes up such a one where there is none.
"""


def find_gguf(name: str) -> Path | None:
    """The file that a folder without a config.json is read through, if there is one."""
    folder = Path(name)
    files = sorted(folder.glob("*.gguf")) if folder.is_dir() and not (folder / "config.json").exists() else []
    return files[0] if files else None


def describe_gated(name: str) -> CdnerError:
    """The error for a backbone that only those get who have accepted its licence."""
    return CdnerError(
        f"the backbone {name!r} is gated: its licence is to be accepted at https://huggingface.co/{name}",
        hint="accept it there, then type: hf auth login",
    )


def load(loader: Any, name: str, **options: Any) -> Any:
    """Call `loader(name, **options)`, a `from_pretrained`. Raises `CdnerError` if the backbone is nowhere to be had,
    gated, damaged, or of a kind that the installed libraries do not know.
    """
    file = find_gguf(name)
    if file is not None:
        options["gguf_file"] = file.name
    bars = redirect_stderr(StringIO()) if file else nullcontext()  # the one reader that has its own
    try:
        with bars:
            return loader(name, **options)
    except Exception as error:
        failure = _describe_failure(name, error)
        if failure is None:
            raise
        raise failure from error


def load_tokenizer(name: str, **options: Any) -> Any:
    """The tokenizer of a backbone. Raises `CdnerError` if there is none, or if the backbone cannot be had."""
    tokenizer = load(AutoTokenizer.from_pretrained, name, **options)
    if len(tokenizer) - len(set(tokenizer.all_special_ids)) < FEWEST:
        raise CdnerError(
            f"the backbone {name!r} has no tokenizer, and so no words",
            hint="put the files of its tokenizer beside its weights: tokenizer.json, tokenizer_config.json",
        )
    return tokenizer


def split_words(tokenizer: Any, name: str) -> Any:
    """The tokenizer of a backbone as it reads sentences that are split into words: each begins with a space."""
    if getattr(tokenizer, "add_prefix_space", None) is False:
        return load_tokenizer(name, add_prefix_space=True)
    return tokenizer


def load_model(kind: Any, name: str, dtype: torch.dtype = torch.float32, **options: Any) -> Any:
    """A model of an Auto class in `dtype`. Raises `CdnerError` if the weights are another model's."""
    weights = {} if find_gguf(name) else {"use_safetensors": True}
    loader = partial(kind.from_pretrained, dtype=dtype, output_loading_info=True, **weights)
    model, report = load(loader, name, **options)
    if len(report["missing_keys"]) > len(model.state_dict()) / 2:
        raise _describe_misfit(name)
    return model


def attention() -> str | None:
    """On CPUs the backward pass of fused attention is slower than plain products for sentences of this length."""
    return None if torch.cuda.is_available() else "eager"


def _describe_failure(name: str, error: Exception) -> CdnerError | None:
    """The error for a backbone that is not there or cannot be read; None for what is no fault of it."""
    if isinstance(error, SafetensorError):
        return CdnerError(f"the weights of the backbone {name!r} are damaged: {error}", hint="fetch or copy them again")
    if "ignore_mismatched_sizes" in str(error):
        return _describe_misfit(name)
    unread = type(error) is Exception  # `tokenizers` has no type of its own for what it cannot read
    if not (unread or isinstance(error, OSError | ValueError | StrictDataclassError)):
        return None
    if "gated repo" in str(error):
        return describe_gated(name)
    reason, *more = str(error).strip().splitlines() or [type(error).__name__]
    reason = " ".join([reason, *more[: reason.endswith(":")]])
    if Path(name).is_dir():
        return CdnerError(
            f"the backbone in the folder {name} cannot be loaded: {reason}",
            hint="put config.json, model.safetensors and tokenizer.json there again, or name another folder: "
            "-o backbone=PATH",
        )
    return CdnerError(
        f"the backbone {name!r} cannot be loaded from a folder of that name, the hub's cache or the hub: {reason}",
        hint=f"with a network: hf download {name}; name a folder: -o backbone=PATH; or --preset cpu, "
        "which needs no hub",
    )


def _describe_misfit(name: str) -> CdnerError:
    """The error for weights of another model than the configuration beside them is of."""
    return CdnerError(
        f"the weights of the backbone {name!r} do not fit its configuration",
        hint="fetch it again, or put config.json and model.safetensors of one model into the folder",
    )
