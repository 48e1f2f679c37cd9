"""GLiNER2 checkpoints: found in a folder or on the hub, looked through before the package reads them, and kept.

The package would run code that a checkpoint brings (`auto_map`) and unpickle its weights. Both are refused here.
"""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path
from typing import Any

from gliner2 import AutoExtractor
from huggingface_hub import snapshot_download
from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

from cdner_bench import CdnerError, NotRunError
from cdner_torch import hub, weights

from .reading import split_at_blanks

FITTING = "fastino/gliner2-base-v1, fastino/gliner2-large-v1 or fastino/gliner2.5-small-v1"
_FILES = ("config.json", "encoder_config/config.json", weights.NAME)
_TOKENIZER = ("*.json", "*.txt", "*.model")

logging.getLogger("gliner2").setLevel(logging.ERROR)  # it warns of what is no fault here


def find(name: str) -> Path:
    """The folder of a checkpoint that the package can read. Raises `NotRunError` where its weights cannot be had, and
    `CdnerError` for what is no GLiNER2, or not whole.
    """
    folder = Path(name) if Path(name).is_dir() else _fetch(name)
    told = _read(folder / "config.json", name) if (folder / "config.json").exists() else {}
    older = (folder / "gliner_config.json").exists()
    kind = told.get("model_type") or ("GLiNER" if older else "folder without a model's config.json")
    architecture = str(told.get("architecture") or "span").lower()
    if kind != "extractor" or architecture not in ("span", "boundary"):
        said = f"a GLiNER2 of the architecture {architecture!r}" if kind == "extractor" else f"no GLiNER2 but a {kind}"
        raise CdnerError(
            f"the backbone {name!r} is {said}",
            hint=f"take {FITTING}, or a folder that such a model was saved in",
        )
    if lacking := [file for file in _FILES if not (folder / file).is_file()]:
        raise CdnerError(
            f"the backbone {name!r} has no {lacking[0]}", hint="fetch it again, or save it again by save_pretrained"
        )
    configs = [folder / file for file in (*_FILES[:2], "tokenizer_config.json")]
    if any("auto_map" in _read(file, name) for file in configs if file.exists()):
        raise CdnerError(f"the backbone {name!r} brings code of its own", hint=f"take {FITTING}")
    return folder


def _fetch(name: str) -> Path:
    try:
        return Path(snapshot_download(name, allow_patterns=[*_FILES, *_TOKENIZER]))
    except GatedRepoError as error:
        raise hub.describe_gated(name) from error
    except (HFValidationError, RepositoryNotFoundError) as error:
        raise CdnerError(
            f"the backbone {name!r} is neither a folder nor on the hub", hint=f"take {FITTING}, or -o backbone=FOLDER"
        ) from error
    except (OSError, ValueError) as error:
        raise NotRunError(
            f"the weights of {name!r} are neither in a folder of that name nor in the hub's cache, and the hub, "
            f"https://huggingface.co/{name}, cannot be reached (fastino's are under Apache-2.0)",
            hint=f"with a network: hf download {name}; or name a folder that has them: -o backbone=FOLDER",
        ) from error


def _read(file: Path, name: str) -> dict[str, Any]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CdnerError(f"{file.name} of the backbone {name!r} is no JSON: {error}", hint="fetch it again") from error
    return told if isinstance(told, dict) else {}


def load(folder: Path) -> Any:
    """The model in a folder, in float32, its words being those between blanks. Raises `CdnerError` if it is damaged."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return AutoExtractor.from_pretrained(str(folder), word_splitter=split_at_blanks)
    except (RuntimeError, OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CdnerError(f"the backbone in {folder} cannot be loaded: {reason}", hint="fetch it again") from error


def describe(network: Any, folder: Path) -> None:
    """Write everything of a checkpoint but the weights."""
    network.config.save_pretrained(folder)
    network.encoder.config.save_pretrained(folder / "encoder_config")
    network.processor.tokenizer.save_pretrained(folder)


def keep(network: Any, folder: Path) -> None:
    """Write the weights, whole or not at all."""
    weights.keep(network.state_dict(), folder / weights.NAME, {"format": "pt"})
