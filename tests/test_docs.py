"""Links lead somewhere, and commands in code blocks are commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from cdner_bench.cli.app import app
from support import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


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
        assert not hasattr(command, "commands"), words
        known = {name for parameter in command.params for name in parameter.opts}
        assert [word for word in rest if word.startswith("-") and word not in known] == [], words


def test_the_readme_s_scores_stand_in_the_leaderboards() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if re.search(r"\| (minilm|minit5|smollm2|none)", line)]
    pages = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "leaderboards").glob("*/*.md"))
    assert rows
    assert [row for row in rows if row not in pages] == []
