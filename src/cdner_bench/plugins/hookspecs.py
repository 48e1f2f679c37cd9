"""What a plugin may register."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from .method import Spec

hookspec = pluggy.HookspecMarker("cdner_bench")
hookimpl = pluggy.HookimplMarker("cdner_bench")


@hookspec
def register_methods() -> Iterable[Spec]:  # type: ignore[empty-body]
    """The methods of this plugin. Runs at every start: import nothing heavy here or in the plugin's top module."""


@hookspec
def register_analyses() -> Iterable[Spec]:  # type: ignore[empty-body]
    """The corpus analyses of this plugin. The same holds."""
