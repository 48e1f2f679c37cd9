"""Outsiders come in by the same door, and a broken plugin is named together with the way round it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from cdner_bench import Method, plugins
from cdner_bench.errors import OptionError, PluginError
from cdner_bench.plugins import scaffold
from cdner_bench.plugins.code import hash_code
from support import ROOT, Run

SPEC = 'Spec("mine", "x:Y", "…")'
HEAD = "from cdner_bench import Spec, hookimpl\n"
HOOK = "@hookimpl\ndef register_methods():\n    return [{}]\n"


def plugin(tmp_path: Path, text: str, name: str = "mine.py") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_the_built_in_methods_come_through_an_entry_point() -> None:
    found = {entry.spec.name: entry.plugin for entry in plugins.discover()}
    assert found["bert-tagger"] == found["bert-gtok"] == found["daptn"] == "tagger"


def test_a_file_is_a_plugin(tmp_path: Path) -> None:
    registry = plugins.discover([plugin(tmp_path, HEAD + HOOK.format(SPEC))])
    assert registry.get("mine").plugin == "mine"


def test_without_a_revision_an_edited_plugin_is_another_method(tmp_path: Path) -> None:
    path = plugin(tmp_path, HEAD + HOOK.format(SPEC))
    before = plugins.discover([path]).get("mine")
    assert before.revision == f"code {before.facts.code}"
    path.write_text(path.read_text() + '# a comment is no edit\n\n"""nor is what stands below a field"""\n')
    assert plugins.discover([path]).get("mine").revision == before.revision
    path.write_text(path.read_text() + "EDITED = True\n")
    assert plugins.discover([path]).get("mine").revision != before.revision


def test_with_a_revision_the_code_is_provenance(tmp_path: Path) -> None:
    declared = SPEC.removesuffix(")") + ", revision=3)"
    path = plugin(tmp_path, HEAD + HOOK.format(declared))
    before = plugins.discover([path]).get("mine")
    code = before.facts.code
    path.write_text(path.read_text() + "EDITED = True\n")
    after = plugins.discover([path]).get("mine")
    assert before.revision == after.revision == "3"
    assert code != after.facts.code
    assert (after.facts.name, after.facts.origin) == ("mine", "file")


def test_the_hash_of_code_follows_what_is_in_a_package_and_not_where_it_lies(tmp_path: Path) -> None:
    hashes = set()
    for place in (tmp_path / "z", tmp_path / "a" / "much" / "deeper"):
        package = place / "cdner_mine"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("from cdner_bench import llm, text2text\n")
        (package / "types.py").write_text("from cdner_bench import conll\nHERE = 1\n")
        module = ModuleType("cdner_mine")
        module.__file__ = str(package / "__init__.py")
        hashes.add(hash_code(module))
    assert len(hashes) == 1
    (package / "types.py").write_text("from cdner_bench import conll\nHERE = 2\n")
    assert hash_code(module) not in hashes


def test_a_plugin_can_be_left_out() -> None:
    with pytest.raises(OptionError, match="unknown method 'bert-tagger'"):
        plugins.discover(disabled=["tagger"]).get("bert-tagger")


def test_a_misspelt_method_gets_a_suggestion() -> None:
    with pytest.raises(OptionError) as caught:
        plugins.discover().get("bert-tager")
    assert caught.value.hint == "did you mean 'bert-tagger'?"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "import no_such_module\n",
            "plugin 'mine' fails to import: .*no_such_module",
            "disable it: --no-plugin mine",
        ),
        ("1 / 0\n", "plugin 'mine' fails to import: ZeroDivisionError", "disable it: --no-plugin mine"),
        (
            HEAD + "@hookimpl\ndef register_method():\n    return []\n",
            "unknown hook 'register_method'",
            "the hooks are register_methods and register_analyses",
        ),
        (HEAD + HOOK.format("'nonsense'"), "plugin 'mine' registers 'nonsense', which is not a", None),
        (
            HEAD + HOOK.format("1 / 0"),
            "plugin 'mine' fails in register_methods: ZeroDivisionError",
            "disable it: --no-plugin mine",
        ),
        (
            HEAD + HOOK.format('Spec("bert-tagger", "x:Y", "…")'),
            "plugins '(tagger|mine)' and '(tagger|mine)' both register a method 'bert-tagger'",
            None,
        ),
        (HEAD + HOOK.format(f"{SPEC}, {SPEC}"), "plugins 'mine' and 'mine' both register", None),
    ],
)
def test_a_broken_plugin_is_named(tmp_path: Path, text: str, message: str, hint: str | None) -> None:
    with pytest.raises(PluginError, match=message) as caught:
        plugins.discover([plugin(tmp_path, text)])
    assert hint is None or caught.value.hint == hint


def test_a_missing_plugin_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"there is no file .*gone\.py"):
        plugins.discover([tmp_path / "gone.py"])


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("no_such_module:X", "cannot be loaded: No module named"),
        ("json:X", "there is no 'X' in json"),
        ("json:dumps", "not a subclass"),
    ],
)
def test_a_method_that_cannot_be_loaded_is_named(tmp_path: Path, factory: str, message: str) -> None:
    path = plugin(tmp_path, HEAD + HOOK.format(f'Spec("mine", "{factory}", "…", extra="x")'))
    with pytest.raises(PluginError, match=f"method mine.*{message}"):
        plugins.discover([path]).get("mine").spec.load(Method)


BARE = """
from cdner_bench import Method, Prediction

class Bare(Method):
    def fit(self, sources, target, run):
        pass

    def predict(self, sentences, run):
        yield from (Prediction(s.id) for s in sentences)

class Odd(Bare):
    class Options:
        epochs = 3
"""


def test_a_method_may_have_no_options_and_none_that_are_no_dataclass(tmp_path: Path, cli: Run) -> None:
    specs = 'Spec("bare", "mine:Bare", "…"), Spec("odd", "mine:Odd", "…")'
    path = str(plugin(tmp_path, HEAD + BARE + HOOK.format(specs)))
    run = ["run", "--plugin", path, "--setting", "single", "--target", "ai", "--benchmark", "mini"]
    assert cli(*run, "--method", "bare").returncode == 0
    assert "bare has no option 'epochs'" in cli(*run, "--method", "bare", "-o", "epochs=3").stderr
    refused = cli(*run, "--method", "odd")
    assert refused.returncode == 1
    assert "method odd: Options of mine:Odd is no dataclass\n  → write @dataclass" in refused.stderr


def test_an_unknown_preset_gets_a_suggestion() -> None:
    with pytest.raises(OptionError) as caught:
        plugins.discover().get("bert-tagger").spec.resolve("quik", {})
    assert caught.value.hint == "did you mean 'quick'?"


def test_an_installed_outsider_is_found_checked_and_run(tmp_path: Path, cli: Run) -> None:
    """`plugin new`, `pip install`, `list`, `plugin check`, `run`: a package of its own, by its entry point."""
    assert cli("plugin", "new", "toy-method").returncode == 0
    site = tmp_path / "site"
    search = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        str(site),
    ]
    subprocess.run([*install, str(tmp_path / "toy-method")], check=True, capture_output=True)
    assert "toy-method" in cli("list", PYTHONPATH=search).stdout
    checked = cli("plugin", "check", "toy-method", PYTHONPATH=search)
    assert checked.returncode == 0, checked.stdout
    assert "toy-method keeps the contract" in checked.stdout
    ran = cli("run", "--method", "toy-method", "--setting", "multi", "--benchmark", "mini", PYTHONPATH=search)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("finished, F1") == 5
    assert cli("leaderboard", PYTHONPATH=search).returncode == 0


@pytest.mark.parametrize("name", ["My-Method", "a_b", "", "../x"])
def test_names_that_cannot_be(name: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot be a method's name"):
        scaffold.create(name, tmp_path)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    scaffold.create("mine", tmp_path)
    with pytest.raises(OptionError, match="is there already"):
        scaffold.create("mine", tmp_path)


def test_the_template_is_what_the_readme_shows(tmp_path: Path) -> None:
    """The README's example is the template's method, so that what it shows is what runs."""
    place = scaffold.create("my-method", tmp_path)
    code = (place / "cdner_my_method.py").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    body = code[code.index("    def predict") :].strip()
    assert body in readme
