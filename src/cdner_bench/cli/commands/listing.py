"""`cdner-bench list` shows methods, analyses and benchmarks, and what one method or analysis can be told."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import OptionError, did_you_mean
from ..common import Disabled, PluginFiles, make_table, show

if TYPE_CHECKING:
    from ...plugins import Registered, Registry, Spec, manual

WIDTH = 80


def list_(
    name: Annotated[
        str | None, typer.Argument(help="A method or an analysis: show its options.", metavar="[NAME]")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="text, or of one method or analysis md: its page.", metavar="NAME")
    ] = "text",
    plugin: PluginFiles = [],
    no_plugin: Disabled = [],
) -> None:
    """Methods and analyses and where each comes from, presets, benchmarks; or the options of one."""
    from ... import plugins

    if format_ not in ("text", "md"):
        raise OptionError(f"unknown format {format_!r}", hint="choose from: text, md")
    if name is None and format_ != "text":
        raise OptionError("--format md writes the page of one method or analysis", hint="name it")
    registry = plugins.discover(plugin, no_plugin)
    if name is None:
        _list_all(registry)
    else:
        _list_one(name, registry, _describe if format_ == "text" else write_page)


def _list_all(registry: Registry) -> None:
    from ...data import benchmark

    methods = make_table("method", "plugin", "presets", "what it is", title="Methods", keep=("what it is",))
    for entry in sorted(registry, key=lambda e: e.spec.name):
        methods.add_row(entry.spec.name, entry.plugin, ", ".join(entry.spec.presets) or "any", entry.spec.summary)
    analyses = make_table("analysis", "plugin", "what it measures", title="Analyses", keep=("what it measures",))
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


def _list_one(name: str, registry: Registry, describe: Callable[..., Iterable[str]]) -> None:
    from ...plugins import Analysis, Method, manual

    kinds = {"method": (Method, list(registry)), "analysis": (Analysis, registry.analyses)}
    found = [(kind, base, e) for kind, (base, entries) in kinds.items() for e in entries if e.spec.name == name]
    if not found:
        known = [entry.spec.name for _, entries in kinds.values() for entry in entries]
        raise OptionError(f"there is no method or analysis {name!r}", hint=did_you_mean(name, known))
    for kind, base, entry in found:
        print("\n".join(describe(kind, entry, manual.describe(entry.spec, base))))


def _describe(kind: str, entry: Registered, groups: Iterable[manual.OptionGroup]) -> Iterator[str]:
    """What a method or an analysis is, and its options group by group."""
    from ...plugins import options

    spec = entry.spec
    yield from _wrap(f"{kind} {spec.name}: {spec.summary}")
    given = spec.list_given(options.as_dict(spec.resolve(None, {}))) if kind == "method" else None
    facts = {"plugin": entry.plugin, "presets": ", ".join(spec.presets), "needs": ", ".join(_list_needs(spec))}
    facts["may learn from"] = ", ".join(given or ())
    yield from _wrap("; ".join(f"{what} {value}" for what, value in facts.items() if value))
    for group in groups:
        if not group.options:
            continue
        yield ""
        yield from _wrap(": ".join(filter(None, (group.name, group.meaning))))
        for option in group.options:
            sets = ", ".join(f"{preset} {value}" for preset, value in option.presets.items())
            role = "decides the result" if option.decisive else "operational: how, not what"
            yield from _wrap(
                f"{option.name}={option.default}   {'; '.join(filter(None, (option.kind, sets, role)))}", 2
            )
            yield from _wrap(option.meaning, 6)


def _list_needs(spec: Spec) -> Iterator[str]:
    """The resources of a method, each with the options that it is needed with."""
    for entry in spec.resources:
        if isinstance(entry, str):
            yield entry
        else:
            resource, option, values = entry
            yield f"{resource} with {option}={'|'.join(map(str, values))}"


def write_page(kind: str, entry: Registered, groups: Iterable[manual.OptionGroup]) -> Iterator[str]:
    """The same as a page in Markdown."""
    from tabulate import tabulate

    from ...reporting import escape_markdown

    spec = entry.spec
    yield f"# {spec.name}\n\nThe {kind} `{spec.name}` of the plugin `{entry.plugin}`: {escape_markdown(spec.summary)}."
    if spec.resources:
        yield f"\nIt needs, of the target: {', '.join(_list_needs(spec))}."
    yield f"\nWritten by `cdner-bench list {spec.name} --format md` from the plugin; do not edit."
    for group in groups:
        if group.options:
            yield f"\n## {group.name or 'Options'}\n"
            if group.meaning:
                yield f"{escape_markdown(group.meaning)}\n"
            headers = ["Option", "Type", "Default", *spec.presets, "Decides", "Meaning"]
            rows = [
                [
                    f"`{option.name}`",
                    option.kind,
                    option.default,
                    *(option.presets.get(preset, "") for preset in spec.presets),
                    "the result" if option.decisive else "only how",
                    option.meaning,
                ]
                for option in group.options
            ]
            cells = [[row[0], *map(escape_markdown, row[1:])] for row in rows]
            yield tabulate(cells, headers, tablefmt="pipe", disable_numparse=True)


def _wrap(text: str, indent: int = 0) -> list[str]:
    """Paragraphs in lines of `WIDTH`, the first of each as far in as `indent`, the others as far as a meaning."""
    first, other = " " * indent, " " * (6 if indent else 0)
    return [
        line
        for paragraph in text.split("\n\n")
        for line in textwrap.wrap(paragraph, WIDTH, initial_indent=first, subsequent_indent=other)
    ]
