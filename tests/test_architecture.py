"""Who may import whom, what may not be imported at all, and that every hook and command is documented."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import ROOT

CORE = ROOT / "src" / "cdner_bench"
MAY_IMPORT = {
    "io": (),
    "data": ("io",),
    "llm": ("io",),
    "knowledge": ("data", "io", "llm"),
    "scoring": ("data", "io"),
    "environments": ("io",),
    "plugins": ("data", "environments", "io", "knowledge", "llm", "scoring"),
    "records": ("data", "io", "llm", "plugins", "scoring"),
    "running": ("data", "environments", "io", "knowledge", "llm", "plugins", "records", "scoring"),
    "reporting": ("data", "io", "llm", "plugins", "records", "scoring"),
    "comparing": ("data", "knowledge", "records", "reporting", "scoring"),
    "storing": ("data", "io", "llm", "plugins", "records", "reporting", "scoring"),
    "papers": ("data", "io", "knowledge", "llm", "plugins", "records", "reporting", "running", "scoring"),
    "interface": ("data", "io", "plugins", "records", "reporting", "running", "scoring"),
    "site": ("data", "io", "plugins", "records", "reporting", "scoring", "storing"),
    "cli": (
        *("comparing", "data", "environments", "interface", "io", "knowledge", "llm", "papers", "plugins", "records"),
        *("reporting", "running", "scoring", "site", "storing"),
    ),
}
"""Which packages a package may import from."""

# What lies beside the packages, and may be imported from everywhere.
BESIDE = {
    "drawing": (),
    "types": ("errors", "hashing"),
    "errors": ("foreign",),
    "foreign": (),
    "hashing": (),
    "lazy": (),
    "marking": ("foreign", "types"),
    "names": ("errors",),
    "version": (),
}

COMPOSED = {"cdner_annotating": ("cdner_prompting", "cdner_tagger")}
"""The plugins that are made of others."""

HEAVY = ("asyncio", "cdner_bench.llm.client", "datasets", "numpy", "openai", "sklearn", "torch", "transformers")
"""What most commands do without, so that they start at once."""


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


def inside(path: Path) -> list[tuple[str, str | None, list[str]]]:
    """(package or module beside them, module in it if one is named, names) of every import of the core from itself."""
    here = path.relative_to(CORE).parent.parts
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*here[: len(here) - node.level + 1], *(node.module or "").split(".")]
            parts = [part for part in base if part]
            names = [alias.name for alias in node.names]
            found += [(parts[0], ".".join(parts[1:]) or None, names)] if parts else [(name, None, []) for name in names]
    return found


def test_every_package_has_its_place() -> None:
    assert {p.parent.name for p in CORE.glob("*/__init__.py")} == set(MAY_IMPORT)
    assert {p.stem for p in CORE.glob("*.py")} - {"__init__", "__main__"} == set(BESIDE)
    names = list(MAY_IMPORT)
    for n, package in enumerate(names):
        assert set(MAY_IMPORT[package]) <= set(names[:n]), f"{package} imports what comes after it"


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda p: ".".join(p.relative_to(CORE).parts))
def test_imports_point_one_way_and_at_public_names(path: Path) -> None:
    where = path.relative_to(CORE).parts
    own = where[0].removesuffix(".py")
    if own in ("__init__", "__main__"):
        return
    for package, module, names in inside(path):
        if own in BESIDE:
            assert package in BESIDE[own], f"{own} imports {package}"
        elif package != own and package not in BESIDE:
            assert package in MAY_IMPORT[own], f"{own} imports {package}"
            assert module is None, f"import from {package}, not from its module {module}"
            public = importlib.import_module(f"cdner_bench.{package}").__all__
            assert set(names) <= set(public), f"{package} does not export {sorted(set(names) - set(public))}"


@pytest.mark.parametrize("folder", sorted({p.parent for p in CORE.rglob("*.py")}), ids=lambda p: p.name)
def test_no_folder_holds_more_than_about_ten_modules(folder: Path) -> None:
    assert len(list(folder.glob("*.py"))) <= 12, sorted(p.name for p in folder.glob("*.py"))


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda p: p.stem)
def test_the_core_knows_no_plugin_and_no_torch(path: Path) -> None:
    top = {module.split(".")[0] for module, dots in imports(path) if not dots}
    assert not {m for m in top if m in ("torch", "transformers") or (m.startswith("cdner_") and m != "cdner_bench")}


@pytest.mark.parametrize("path", sorted((ROOT / "plugins").rglob("*.py")), ids=lambda p: p.stem)
def test_plugins_import_the_package_themselves_and_what_they_share(path: Path) -> None:
    own = path.relative_to(ROOT / "plugins").parts[0]
    for module, _ in imports(path):
        if module.startswith("cdner_"):
            assert module == "cdner_bench" or module.split(".")[0] in (
                own,
                "cdner_torch",
                *COMPOSED.get(own, ()),
            ), f"{path} imports {module}"


def private_names(path: Path) -> list[str]:
    """What a file takes from others though its name begins with an underscore, and its changes of `sys.path`."""
    taken = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [part for alias in node.names for part in alias.name.split(".")]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls"):
            names = ["_syspath"] if ast.unparse(node) == "sys.path" else [node.attr]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("etattr"):
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            names = [part for text in texts[:1] for part in text.split(".")]
        taken += [f"{n} in {ast.unparse(node)}" for n in names if n.startswith("_") and not n.startswith("__")]
    return taken


@pytest.mark.parametrize("folder", ["tests", "perf", "scripts"])
def test_nothing_reaches_for_private_names(folder: str) -> None:
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert {str(path): names for path in paths if (names := private_names(path))} == {}


@pytest.mark.parametrize("command", [["--help"], ["list"]])
def test_help_and_list_are_light(command: list[str]) -> None:
    code = f"""
import sys
from cdner_bench.cli.app import main
try:
    main({command!r})
except SystemExit:
    pass
print("HEAVY", [m for m in {HEAVY!r} if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "HEAVY []"


@pytest.mark.parametrize("name", ["", ".llm", ".plugins", ".knowledge", ".records"])
def test_a_package_is_imported_without_the_client(name: str) -> None:
    code = f"import sys, cdner_bench{name}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", ["cdner_bench", "cdner_bench.llm"])
def test_every_name_is_there_though_it_is_imported_later(name: str) -> None:
    code = f"import {name} as package; print([name for name in package.__all__ if not hasattr(package, name)])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        importlib.import_module(name).nothing  # noqa: B018


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


@pytest.mark.slow
def test_names_of_tests_are_the_same_in_every_process(request: pytest.FixtureRequest) -> None:
    """Workers that share the tests out must agree on their names: none has the time, a hash or an address in it. Where
    this process has found all tests, it is one of the two that are compared.
    """

    def list_tests(hash_seed: str) -> list[str]:
        command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", str(ROOT / "tests")]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        return [line for line in done.stdout.splitlines() if "::" in line]

    first, own = list_tests("1"), [item.nodeid for item in request.session.items]
    whole = len(own) == len(first) and os.environ.get("PYTHONHASHSEED") != "1"
    second = own if whole else list_tests("2")
    assert len(first) > 1000
    assert first == second
