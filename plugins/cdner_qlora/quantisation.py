"""NF4 with double quantisation, through bitsandbytes: is it there, does it work, and what a layer's weights are."""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import Tensor, nn

from cdner_bench import CdnerError

INSTALL = "pip install 'cdner-bench[qlora]'"


def quiet() -> None:
    """Bitsandbytes says at its import that an optional kernel for packed layers is missing; nothing here packs any."""
    logging.getLogger("bitsandbytes.backends.cpu.ops").addFilter(
        lambda record: "gemm_4bit_forward" not in record.getMessage()
    )


quiet()


def check(device: str) -> None:
    """Quantise a small tensor and look at it. Raises `CdnerError` if 4-bit layers do not work on this machine."""
    try:
        import bitsandbytes

        values = torch.linspace(-1, 1, 64 * 64, device=device).view(64, 64)
        packed, state = bitsandbytes.functional.quantize_4bit(values, quant_type="nf4", compress_statistics=True)
        error = (bitsandbytes.functional.dequantize_4bit(packed, state) - values).abs().max().item()
        problem = "" if packed.dtype == torch.uint8 and error < 0.2 else f"a number comes back wrong by {error:.2f}"
    except ImportError as error:
        raise CdnerError(
            f"4-bit layers need bitsandbytes: {error}", hint=f"{INSTALL}, or -o adapters.quantisation=none"
        ) from error
    except (RuntimeError, NotImplementedError, AttributeError, TypeError, ValueError) as error:
        problem = str(error).strip().splitlines()[0]
    if problem:
        raise CdnerError(
            f"bitsandbytes cannot quantise to 4 bits on this {device}: {problem}",
            hint=f"-o adapters.quantisation=none, or another release: {INSTALL} --upgrade",
        )


def config(compute: torch.dtype) -> Any:
    """What makes transformers load linear layers in NF4 with double quantisation."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )


def keep_layout(network: nn.Module) -> None:
    """Forbid what bitsandbytes does on some processors to a layer in eval mode: repack its weights for inference,
    which rounds their scales anew and cuts the gradient of all training that follows.
    """
    for module in network.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False  # type: ignore[assignment]


def weight(layer: Any) -> Tensor:
    """The weights that a linear layer computes with, in float32, of shape (outputs, inputs)."""
    state = getattr(layer.weight, "quant_state", None)
    if state is None:
        return layer.weight.detach().float()  # type: ignore[no-any-return]
    import bitsandbytes

    return bitsandbytes.functional.dequantize_4bit(layer.weight.data, state).float()  # type: ignore[no-any-return]


def optimizer(parameters: Any, rate: float) -> Any:
    """Paged 8-bit AdamW without weight decay."""
    import bitsandbytes

    return bitsandbytes.optim.PagedAdamW8bit(parameters, lr=rate, weight_decay=0.0)
