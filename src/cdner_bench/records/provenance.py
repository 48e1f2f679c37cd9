"""When a record was made, with which code and which packages."""

from __future__ import annotations

import platform
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..plugins import PluginFacts

PACKAGES = (
    "cdner-bench", "torch", "transformers", "tokenizers", "safetensors", "peft", "bitsandbytes", "openai", "xllamacpp",
    "seqeval", "numpy",
)  # fmt: skip


def describe_provenance(plugin: PluginFacts | None = None) -> dict[str, Any]:
    """The time (UTC), the plugin if there is one, the commit of the harness, Python, the platform, and the versions of
    packages.
    """
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return {"created": created, **({"plugin": asdict(plugin)} if plugin else {}), **_describe_environment()}


@cache
def _describe_environment() -> dict[str, Any]:
    packages = {}
    for package in PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        **_read_commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages,
    }


def _read_commit() -> dict[str, Any]:
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return {"commit": None, "dirty": None}

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    changes = git("status", "--porcelain", "--", "src", "plugins")
    return {"commit": git("rev-parse", "HEAD"), "dirty": None if changes is None else bool(changes)}
