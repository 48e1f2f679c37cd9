"""What the command line shows of texts that others wrote, on a terminal and elsewhere."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest

from cdner_bench.cli import main
from cdner_bench.cli.common import make_table
from cdner_bench.cli.display import open_bar
from cdner_bench.cli.streams import find_drawn, prepare
from cdner_bench.cli.terminal import Terminal
from hostile import KEY, KEYS, TEXTS, find_harm

HARM = "".join(text for text in TEXTS if "\n" not in text and len(text) < 100) + KEY


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command says, on both streams."""
    with pytest.raises(SystemExit):
        main(list(words))
    said = capsys.readouterr()
    return said.out + said.err


@pytest.mark.parametrize("text", [*TEXTS, *KEYS], ids=lambda text: ascii(text)[:30])
def test_what_is_printed(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    prepare()
    print(text)
    print(text, file=sys.stderr)
    sys.stdout.writelines([text])
    said = capsys.readouterr()
    assert find_harm((said.out + said.err).replace("\t", "")) == []
    assert said.err


class Tty(io.StringIO):
    """A terminal, as far as anybody can tell."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_what_is_drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours and the moves of a bar are our own; nothing else is an order, and nothing a link."""
    monkeypatch.setenv("TERM", "xterm")
    tty = Tty()
    monkeypatch.setattr(sys, "stdout", tty)
    monkeypatch.setattr(sys, "stderr", tty)
    prepare()
    assert find_drawn(sys.stdout) is tty
    for text in [*TEXTS, *KEYS]:
        table = make_table(text, title=text)
        table.add_row(text)
        Terminal(width=5000).show(table, text)
        with open_bar() as titled:
            bar = titled(text)
            bar.phase(text)
            bar.progress(1, 2, {text: 0.5})
            bar.note(text)
            print(text)  # the bar takes over what is printed meanwhile
        shown = tty.getvalue()
        tty.seek(0)
        tty.truncate()
        assert "\x1b]" not in shown, ascii(text)
        own = re.sub(r"\x1b\[[\d;?]*[mKAHhlJ]|\r", "", shown)
        assert find_harm(own.replace("\t", "")) == [], ascii(text)
        if text in ("[bold]x[/bold]", ":smile:"):
            assert own.count(text) >= 4


def test_methods_and_plugins_that_say_what_they_like(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "theirs.py"
    spec = f"Spec('theirs', 'theirs:C', {HARM!r}, presets={{'quick': {{}}}})"
    path.write_text(
        f"from cdner_bench import Spec, hookimpl\n@hookimpl\ndef register_methods():\n    return [{spec}]\n"
    )
    said = run(capsys, "list", "--plugin", str(path))
    assert "theirs" in said
    assert find_harm(said) == []
    path.write_text(f"raise ValueError({HARM!r})\n")
    said = run(capsys, "list", "--plugin", str(path))
    assert "plugin 'theirs' fails to import" in said
    assert find_harm(said) == []


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--method", HARM, "--setting", "single", "--benchmark", "mini"),
        ("run", "--method", "topt", "--setting", HARM, "--benchmark", "mini"),
        ("run", "--method", "topt", "--setting", "single", "--benchmark", "mini", "-o", f"{HARM}=1"),
        ("list", "--no-plugin", HARM),
        ("leaderboard", "--format", HARM),
        ("models", "fetch", HARM),
        ("analyze", "--analysis", "uid", "--corpus", HARM),
        ("score", HARM),
        (HARM,),
        ("run", f"--{HARM}"),
    ],
    ids=lambda words: words[0][:10] if words[0] != HARM else "command",
)
def test_a_message_about_a_hostile_word(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    words = tuple(word.replace("\x00", "").encode("utf-8", "replace").decode() for word in words)
    said = run(capsys, *words)
    assert said.strip()
    assert find_harm(said.replace("\t", "")) == []


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A benchmark whose types and words are hostile, with a sentence that conflicts."""
    word, kind = HARM.replace("\t", " ").replace(" ", "_"), "x\x1b[31m\u202e"
    lines = f"{word}\tB-{kind}\nplain\tO\n\n{word}\tO\nplain\tO\n\n".encode("utf-8", "surrogatepass").decode(
        "utf-8", "replace"
    )
    for split in ("train", "dev", "test"):
        (tmp_path / f"{split}.txt").write_text(re.sub(r"[\r\v\f\x1c-\x1e\x85\u2028\x00]", "", lines), encoding="utf-8")
    path = tmp_path / "theirs.toml"
    path.write_text(
        f"name = 'theirs'\ntitle = {json.dumps(HARM[:40])}\n"
        "[domains.law]\ntrain = 'train.txt'\ndev = 'dev.txt'\ntest = 'test.txt'\n"
        "[settings.single]\nsources = []\ntargets = ['law']\n"
    )
    return path


@pytest.mark.parametrize("command", ["stats", "audit", "verify"])
def test_what_is_said_of_data(command: str, theirs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, "data", command, "--benchmark", str(theirs))
    assert "law" in said or "as declared" in said
    assert find_harm(said) == []


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_what_is_said_of_a_score(more: tuple[str, ...], theirs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    test = theirs.with_name("test.txt")
    said = run(capsys, "score", str(test), "--gold", str(test), *more)
    assert "span-f1" in said
    assert find_harm(said) == []


def test_data_for_a_file_is_as_it_is(theirs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Conversion to standard output changes no word, unless somebody reads it on a terminal."""
    with pytest.raises(SystemExit):
        main(["data", "convert", str(theirs.with_name("test.txt")), "--to", "bio"])
    assert "\u202e" in capsys.readouterr().out
