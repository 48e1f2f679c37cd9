"""Where and how precisely to compute."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

import torch

Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class Compute:
    """A device and a precision.

    `precision` "auto" is bf16 on GPUs that have it and on processors with AMX or AVX512-BF16 (twice the sentences
    per second), else fp32.
    """

    device: str
    precision: str

    def autocast(self) -> AbstractContextManager[None]:
        """Products in bf16, if that is the precision."""
        return torch.autocast(self.device, torch.bfloat16, enabled=self.resolved == "bf16")

    @property
    def resolved(self) -> str:
        """What is computed with: "bf16" or "fp32"."""
        if self.precision != "auto":
            return self.precision
        if self.device == "cuda":
            return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
        native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
        return "bf16" if native else "fp32"
