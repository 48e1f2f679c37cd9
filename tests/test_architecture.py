"""Who may import whom, what may not be imported at all, and that every hook and command is documented."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from support import ROOT

CORE = ROOT / "src" / "cdner_bench"
LAYERS = [
    {"errors", "files", "types", "toml_table"},
    {
        "conll", "gtok", "knowledge", "leaks", "cleaning", "text2text", "scoring", "diagnosis", "predictions",
        "results", "meter", "models", "options", "context", "method", "interchange", "scaffold", "llm",
        "measurement", "measurements", "texts",
    },
    {
        "hookspecs", "benchmark", "plugins", "leaderboard", "row", "audit", "download", "formats", "figures",
        "analysis_page", "hypothesis",
    },
    {"runner", "conformance", "generation", "analyses", "paper"},
    {"cli", "__main__", "__init__"},
]  # fmt: skip
LEVEL = {module: level for level, modules in enumerate(LAYERS) for module in modules}


def imports(path: Path) -> list[tuple[str, int]]:
    """(module, dots) of every import in a file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found += [(name, node.level) for name in names]
    return found


def test_every_module_has_a_level() -> None:
    assert {p.stem for p in CORE.glob("*.py")} | {"cli", "llm"} == set(LEVEL)


@pytest.mark.parametrize("path", sorted(CORE.glob("*.py")), ids=lambda p: p.stem)
def test_imports_point_down(path: Path) -> None:
    for module, dots in imports(path):
        if dots:
            assert LEVEL[module.split(".")[0]] <= LEVEL[path.stem], f"{path.stem} imports {module}"


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda p: p.stem)
def test_the_core_knows_no_plugin_and_no_torch(path: Path) -> None:
    top = {module.split(".")[0] for module, dots in imports(path) if not dots}
    assert not {m for m in top if m in ("torch", "transformers") or (m.startswith("cdner_") and m != "cdner_bench")}


@pytest.mark.parametrize("path", sorted((ROOT / "plugins").rglob("*.py")), ids=lambda p: p.stem)
def test_plugins_import_the_package_themselves_and_what_they_share(path: Path) -> None:
    own = path.relative_to(ROOT / "plugins").parts[0]
    shares = getattr(importlib.import_module(own), "SHARES", ())
    for module, _ in imports(path):
        if module.startswith("cdner_"):
            allowed = module in ("cdner_bench", own) or module.split(".")[0] in shares
            assert allowed, f"{path} imports {module}, which {own} does not name in SHARES"


@pytest.mark.parametrize("command", [["--help"], ["list"]])
def test_help_and_list_are_light(command: list[str]) -> None:
    code = f"""
import sys, resource
from cdner_bench.cli.app import main
try:
    main({command!r})
except SystemExit:
    pass
heavy = [m for m in ("torch", "transformers", "datasets", "sklearn", "numpy") if m in sys.modules]
used = resource.getrusage(resource.RUSAGE_SELF)
print("HEAVY", heavy, "CPU", used.ru_utime + used.ru_stime)
"""
    seconds = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        line = done.stdout.strip().splitlines()[-1]
        assert "HEAVY []" in line
        seconds.append(float(line.split()[-1]))
    assert min(seconds) < 0.4


def test_every_hook_is_documented() -> None:
    from cdner_bench.plugins import hookspecs

    text = (ROOT / "docs" / "add-a-method.md").read_text(encoding="utf-8")
    hooks = [name for name, value in vars(hookspecs).items() if hasattr(value, "cdner_bench_spec")]
    assert hooks
    assert all(hook in text for hook in hooks)


def test_the_author_s_names_are_documented() -> None:
    import cdner_bench

    text = (ROOT / "docs" / "add-a-method.md").read_text(encoding="utf-8")
    assert [name for name in cdner_bench.__all__ if f"`{name}" not in text] == []


def test_every_command_is_in_the_readme_or_docs() -> None:
    import typer.main

    from cdner_bench.cli.app import app

    text = "".join(p.read_text(encoding="utf-8") for p in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    command = typer.main.get_command(app)
    for name, sub in command.commands.items():  # type: ignore[attr-defined]
        for words in [f"{name} {leaf}" for leaf in getattr(sub, "commands", {})] or [name]:
            assert f"cdner-bench {words}" in text, words
