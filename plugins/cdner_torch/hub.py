"""Backbones from a folder or a hub, without noise, with errors that say what to do."""

from __future__ import annotations

from contextlib import nullcontext, redirect_stderr
from functools import partial
from io import StringIO
from typing import Any

import torch
from huggingface_hub.utils import logging as hub_logging
from transformers.utils import logging

from cdner_bench import CdnerError

logging.set_verbosity_error()
hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
logging.disable_progress_bar()


def load(loader: Any, name: str, **options: Any) -> Any:
    """Call `loader(name, **options)`. Raises `CdnerError` if the backbone is nowhere to be had."""
    bars = redirect_stderr(StringIO()) if "gguf_file" in options else nullcontext()  # the one reader that has its own
    try:
        with bars:
            return loader(name, **options)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise CdnerError(
            f"the backbone {name!r} cannot be loaded from a folder of that name, the hub's cache or the hub: {reason}",
            hint=f"with a network: hf download {name}; name a folder: -o backbone=PATH; or --preset cpu, "
            "which needs no hub",
        ) from error


def load_model(kind: Any, name: str, dtype: torch.dtype = torch.float32, **options: Any) -> Any:
    """A model of an Auto class in `dtype`. Raises `CdnerError` if the weights are another model's."""
    weights = {} if "gguf_file" in options else {"use_safetensors": True}
    loader = partial(kind.from_pretrained, dtype=dtype, output_loading_info=True, **weights)
    model, report = load(loader, name, **options)
    if len(report["missing_keys"]) > len(model.state_dict()) / 2:
        raise CdnerError(f"the weights of backbone {name!r} do not fit its configuration")
    return model


def attention() -> str | None:
    """On CPUs the backward pass of fused attention is slower than plain products for sentences of this length."""
    return None if torch.cuda.is_available() else "eager"
