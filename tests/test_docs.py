"""Links lead somewhere, and commands in code blocks are commands."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer.main

from cdner_bench.cli import main
from cdner_bench.cli.app import app
from support import ROOT, Run

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_exist_and_so_do_their_options(page: Path) -> None:
    root = typer.main.get_command(app)
    blocks = re.findall(r"```[a-z]*\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for line in "\n".join(blocks).splitlines():
        words = re.split(r"\s{2,}|#", line.strip().removeprefix("$ "))[0]
        if not words.startswith("cdner-bench ") or "|" in words:
            continue
        command, rest = root, shlex.split(words)[1:]
        while rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest.pop(0)]  # type: ignore[attr-defined]
        assert not hasattr(command, "commands") or getattr(command, "invoke_without_command", False), words
        known = {name for parameter in command.params for name in parameter.opts}
        assert [word for word in rest if word.startswith("-") and word not in known] == [], words


def test_every_method_has_a_page_that_is_what_its_plugin_says(capsys: pytest.CaptureFixture[str]) -> None:
    own = tomllib.loads((ROOT / "plugins" / "revisions.toml").read_text(encoding="utf-8"))
    pages = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "methods").glob("*.md")}
    assert set(pages) == set(own)
    index = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    for name, page in pages.items():
        with pytest.raises(SystemExit):
            main(["list", name, "--format", "md"])
        assert capsys.readouterr().out == page, f"type: cdner-bench list {name} --format md > docs/methods/{name}.md"
        assert f"(methods/{name}.md)" in index


def test_the_readme_s_table_of_costs_is_what_its_command_writes(cli: Run) -> None:
    """A table that stands below the command which writes it, with all of its rows."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"```\n(cdner-bench leaderboard [^\n]*--format md)\n```\n\n((?:\|.*\n)+)", text)
    assert found
    for command, table in found:
        assert f"\n\n{table}\n" in cli(*shlex.split(command)[1:], cwd=ROOT).stdout, command


def test_the_readme_shows_what_plugin_new_writes(cli: Run, tmp_path: Path) -> None:
    assert cli("plugin", "new", "my-method").returncode == 0
    written = (tmp_path / "my-method" / "cdner_my_method.py").read_text(encoding="utf-8")
    assert f"```python\n{written}```" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_s_scores_stand_in_the_leaderboards() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| +(?:\d+|–) \|.*", text, re.MULTILINE)
    pages = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "leaderboards").glob("*/*.md"))
    assert rows
    assert [row for row in rows if row not in pages] == []
