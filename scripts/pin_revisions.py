"""Write into plugins/revisions.toml which code each revision stands for: `python scripts/pin_revisions.py`.

Do so when you have edited a plugin, or what it imports from the project, and are sure that its runs come out as before,
or have raised its revision. The commit says which.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from cdner_bench import plugins

FILE = Path(__file__).resolve().parents[1] / "plugins" / "revisions.toml"


def collect_pins() -> dict[str, dict[str, int | str]]:
    """The declared revision and the hash of the code of every installed method and analysis, by name."""
    registry = plugins.discover()
    entries = sorted([*registry, *registry.analyses], key=lambda entry: entry.spec.name)
    return {e.spec.name: {"revision": e.spec.revision or 0, "code": e.facts.code} for e in entries}


def main() -> None:
    """Rewrite the file below its comment, and print what changed."""
    text = FILE.read_text(encoding="utf-8")
    before, now = tomllib.loads(text), collect_pins()
    comment = [line for line in text.splitlines() if line.startswith("#")]
    tables = [f'[{name}]\nrevision = {pin["revision"]}\ncode = "{pin["code"]}"' for name, pin in now.items()]
    FILE.write_text("\n".join(comment) + "\n\n" + "\n\n".join(tables) + "\n", encoding="utf-8")
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            print(f"{name}: {before.get(name)} is now {now.get(name)}")


if __name__ == "__main__":
    main()
