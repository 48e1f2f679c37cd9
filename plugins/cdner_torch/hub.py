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
from huggingface_hub.utils import logging as hub_logging
from safetensors import SafetensorError
from transformers.utils import logging

from cdner_bench import CdnerError

logging.set_verbosity_error()
hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
logging.disable_progress_bar()
warnings.filterwarnings("ignore", "Version v4.12.0 introduces a better way to train encoder-decoder", FutureWarning)


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
    gated, or damaged.
    """
    file = find_gguf(name)
    if file is not None:
        options["gguf_file"] = file.name
    bars = redirect_stderr(StringIO()) if file else nullcontext()  # the one reader that has its own
    try:
        with bars:
            return loader(name, **options)
    except SafetensorError as error:
        raise CdnerError(
            f"the weights of the backbone {name!r} are damaged: {error}", hint="fetch or copy them again"
        ) from error
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        if "gated repo" in str(error):
            raise describe_gated(name) from error
        raise CdnerError(
            f"the backbone {name!r} cannot be loaded from a folder of that name, the hub's cache or the hub: {reason}",
            hint=f"with a network: hf download {name}; name a folder: -o backbone=PATH; or --preset cpu, "
            "which needs no hub",
        ) from error


def load_model(kind: Any, name: str, dtype: torch.dtype = torch.float32, **options: Any) -> Any:
    """A model of an Auto class in `dtype`. Raises `CdnerError` if the weights are another model's."""
    weights = {} if find_gguf(name) else {"use_safetensors": True}
    loader = partial(kind.from_pretrained, dtype=dtype, output_loading_info=True, **weights)
    model, report = load(loader, name, **options)
    if len(report["missing_keys"]) > len(model.state_dict()) / 2:
        raise CdnerError(f"the weights of backbone {name!r} do not fit its configuration")
    return model


def attention() -> str | None:
    """On CPUs the backward pass of fused attention is slower than plain products for sentences of this length."""
    return None if torch.cuda.is_available() else "eager"
