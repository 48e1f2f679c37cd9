"""`cdner-bench list` shows methods, analyses and benchmarks."""

from __future__ import annotations

from ..common import Disabled, PluginFiles, make_table, show


def list_(plugin: PluginFiles = [], no_plugin: Disabled = []) -> None:
    """Methods and analyses and where each comes from, presets, benchmarks."""
    from ... import plugins
    from ...data import benchmark

    methods = make_table("method", "plugin", "presets", "what it is", title="Methods")
    registry = plugins.discover(plugin, no_plugin)
    for entry in sorted(registry, key=lambda e: e.spec.name):
        methods.add_row(entry.spec.name, entry.plugin, ", ".join(entry.spec.presets) or "any", entry.spec.summary)
    analyses = make_table("analysis", "plugin", "what it measures", title="Analyses")
    for entry in sorted(registry.analyses, key=lambda e: e.spec.name):
        analyses.add_row(entry.spec.name, entry.plugin, entry.spec.summary)
    shipped = make_table("benchmark", "default preset", "settings", "data", title="Benchmarks")
    for name in benchmark.list_shipped():
        data = benchmark.load(name)
        shipped.add_row(
            name,
            data.preset or "",
            ", ".join(data.settings),
            "here" if data.is_present() else "cdner-bench data fetch",
        )
    show(methods, analyses, shipped)
