"""One grammar of names, wherever a name comes in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cdner_bench import Spec
from cdner_bench.data import Benchmark, benchmark, making, own
from cdner_bench.errors import CdnerError, DataError, OptionError, PluginError
from cdner_bench.io import find_benchmarks_dir
from cdner_bench.names import LONGEST, check_name, is_name
from cdner_bench.plugins import Registered, RunContext, discover

GOOD = ("a", "topt", "topt-no-gtok", "conll2003", "my_method", "v1.2", "3", "a" * LONGEST, "console", "com10")
BAD = (
    *("", ".", "..", "../x", "../../x", "/elsewhere/x", "a/b", "a\\b", "C:x", "~", "~root", "a b", " a", "a ", "a\n"),
    *("a\0", "Topt", "ä", "ａ", "-o", "_a", ".hidden", "a.", "a-", "con", "nul.txt", "com1", "lpt9.json", "a:b", "a|b"),
    *("\x1b[2J", "a\u202eb", "a\u200b", "\ud800", "$x", "a*", "<b>", "=1+1", "a" * (LONGEST + 1)),
    *(None, 5, b"a"),
)


@pytest.mark.parametrize("name", GOOD)
def test_what_is_a_name(name: str) -> None:
    assert check_name(name, "a method", PluginError) == name


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_what_is_none(name: object) -> None:
    assert not is_name(name)
    with pytest.raises(PluginError, match=r"^a method cannot be called ") as caught:
        check_name(name, "a method", PluginError)
    assert "lower-case letters, digits" in (caught.value.hint or "")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", [name for name in BAD if isinstance(name, str)], ids=ascii)
@pytest.mark.parametrize("field", ["plugin", "name", "presets", "resources"])
def test_a_plugin_registers_no_other_names(field: str, name: str) -> None:
    spec = Spec("mine", "m:C", "", presets={"quick": {}}, resources=("gtok",))
    values: dict[str, Any] = {"name": name, "presets": {name: {}}, "resources": (name,)}
    if field != "plugin":
        spec = replace(spec, **{field: values[field]})
    with pytest.raises(PluginError, match=r"cannot be called") as caught:
        Registered(spec, name if field == "plugin" else "theirs", "0", "file", ModuleType("m"))
    assert field == "plugin" or "plugin 'theirs'" in str(caught.value)


@pytest.mark.parametrize("hook", ["register_methods", "register_analyses"])
def test_a_method_that_is_called_like_a_path_stops_at_registration(hook: str, tmp_path: Path) -> None:
    path = tmp_path / "theirs.py"
    path.write_text(
        "from cdner_bench import Spec, hookimpl\n"
        f"@hookimpl\ndef {hook}():\n    return [Spec('../../x', 'theirs:C', 'x')]\n"
    )
    with pytest.raises(PluginError, match=r"plugin 'theirs': a method or an analysis cannot be called '\.\./\.\./x'"):
        discover([path])


def test_what_is_shipped_has_names() -> None:
    registry = discover()
    assert {entry.spec.name for entry in [*registry, *registry.analyses]} >= {"topt", "uid"}
    for name in benchmark.list_shipped():
        assert is_name(name)
        assert benchmark.load(name).domains
    assert find_benchmarks_dir().is_dir()


PARTS = {
    "benchmark": ("mine", "single", "law", "gtok", "quick", "1"),
    "setting": ("b", "NAME", "law", "gtok", "quick", "1"),
    "domain": ("b", "single", "NAME", "gtok", "quick", "1"),
    "resource": ("b", "single", "law", "NAME", "quick", "1"),
    "preset": ("b", "single", "law", "gtok", "NAME", "1"),
    "version": ("b", "single", "law", "gtok", "quick", "NAME"),
}


@pytest.mark.parametrize("bad", ["../x", "/x", "Law", "con", "a b", "x\u202e", "`<img>`"], ids=ascii)
@pytest.mark.parametrize("kind", PARTS)
def test_a_benchmark_has_no_other_names(kind: str, bad: str, tmp_path: Path) -> None:
    parts = [bad if part == "NAME" else part for part in PARTS[kind]]
    name, setting, domain, resource, preset, version = [bad, *parts[1:]] if kind == "benchmark" else parts
    path = tmp_path / "b.toml"
    path.write_text(
        f"name = '{name}'\nversion = '{version}'\npreset = '{preset}'\n"
        f"[domains.'{domain}']\ntrain = 't'\ndev = 't'\ntest = 't'\nresources = {{ '{resource}' = 'r' }}\n"
        f"[settings.'{setting}']\nsources = []\ntargets = ['{domain}']\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError, match=rf"a {kind} cannot be called"):
        benchmark.load(str(path))


@pytest.mark.parametrize("name", ["average", "pooled"])
def test_no_domain_is_called_as_the_score_of_all(name: str, mini: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "b.toml"
    path.write_text(f"name = 'b'\n[domains.{name}]\ntrain = 't'\ndev = 't'\ntest = 't'\n", encoding="utf-8")
    said = rf"cannot be called '{name}': boards call the score of all domains so"
    with pytest.raises(DataError, match=rf"a domain {said}") as caught:
        benchmark.load(str(path))
    assert caught.value.hint == f"choose another name: my-{name}"
    with pytest.raises(OptionError, match=rf"a benchmark {said}"):
        making.create(name, {}, mini, tmp_path, None, 0)
    with pytest.raises(OptionError, match=rf"the folder names a domain, which {said}"):
        own.build_on(mini, tmp_path / name.upper(), ["news"])


@pytest.mark.parametrize(
    ("folder", "name"),
    [("My Contracts", "my-contracts"), ("Law", "law"), ("Büro", None), ("con", None), ("x" * 70, None)],
)
def test_the_name_of_a_folder_is_checked(mini: Benchmark, tmp_path: Path, folder: str, name: str | None) -> None:
    place = tmp_path / folder
    place.mkdir()
    for split in ("train", "dev", "test"):
        (place / f"{split}.txt").write_text("Ada\tB-judge\n")
    if name:
        assert own.build_on(mini, place, ["news"]).name == name
    else:
        with pytest.raises(OptionError, match="the folder names a domain, which cannot be called"):
            own.build_on(mini, place, ["news"])


def test_a_stage_is_no_path(tmp_path: Path) -> None:
    run = RunContext.create(0, tmp_path / "run", tmp_path / "shared")
    with pytest.raises(CdnerError, match="a stage cannot be called"):
        run.stage("../../x", lambda place: None, {})
    assert list(tmp_path.iterdir()) == []
