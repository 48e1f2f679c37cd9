"""What docs/add-a-method.md tells its reader to write and to type works, from the first block to the last."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cdner_bench import Spec
from support import ROOT

BLOCKS = re.findall(
    r"```([a-z]*)\n(.*?)```", (ROOT / "docs" / "add-a-method.md").read_text(encoding="utf-8"), re.DOTALL
)
PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", "site"]


@pytest.mark.slow
def test_every_block_works_in_its_turn(tmp_path: Path) -> None:
    """A file is written where its first line says; commands are typed as they stand, but installed is in a folder."""
    search = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": search}
    done = []
    for language, block in BLOCKS:
        named = re.match(r"# (\S+\.py)\n", block)
        if language == "python" and named:
            (tmp_path / named[1]).write_text(block, encoding="utf-8")
        elif language == "python":
            names: dict[str, object] = {}
            exec(block, names)
            specs = names["register_methods"]()  # type: ignore[operator]
            assert specs
            assert all(isinstance(spec, Spec) for spec in specs)
        elif language == "toml":
            written = tomllib.loads((tmp_path / "my-method" / "pyproject.toml").read_text(encoding="utf-8"))
            points = tomllib.loads(block)["project"]["entry-points"]["cdner_bench"]
            assert points.items() <= {**written["project"]["entry-points"]["cdner_bench"]}.items()
        else:
            for line in block.splitlines():
                program, *words = shlex.split(line)
                command = {
                    "cdner-bench": [sys.executable, "-m", "cdner_bench", *words],
                    "python": [sys.executable, *words],
                    "pip": [*PIP, f"./{words[-1]}"],
                }.get(program, [program, *words])
                ran = subprocess.run(
                    command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
                )
                assert ran.returncode == 0, f"{line}\n{ran.stdout}{ran.stderr}"
                done.append(program)
    assert done.count("cdner-bench") > 5
    board = next(tmp_path.glob("leaderboards/results/mini/single/ai/by-tags-*.json")).read_text(encoding="utf-8")
    assert '"name": "dev"' in board
