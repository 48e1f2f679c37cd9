"""Archives: the same study makes the same bytes, comes back whole, and one that somebody has altered writes nothing."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cdner_bench.errors import BusyError, CdnerError, CdnerWarning, OptionError, RefusedWarning
from cdner_bench.io import lock
from cdner_bench.records import results
from cdner_bench.storing import export, find_stored, import_archive, list_stored
from support import ROOT, few_files

RUN = "gpt4/single/ai/0"
RESULT = next((ROOT / "leaderboards" / "results" / "mini" / "single" / "ai").glob("gpt4-*-0.json"))
PATH = RESULT.relative_to(ROOT).as_posix()
KEPT = PATH.replace("results", "predictions").replace(".json", ".jsonl.gz")
PREDICTIONS = (ROOT / KEPT).read_bytes()
SIZE = len(RESULT.read_bytes())
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed boards, without the runs that a checkout may have."""
    place = tmp_path_factory.mktemp("home")
    for folder in ("results", "predictions", "measurements", "answers"):
        shutil.copytree(ROOT / "leaderboards" / folder, place / "leaderboards" / folder)
    return place


def list_files(files: Files) -> list[dict[str, Any]]:
    return [{"path": path, "size": len(data), "sha256": sha256(data).hexdigest()} for path, data in files.items()]


def make_manifest(files: Files, **change: object) -> dict[str, Any]:
    schemas = {"results": 1, "measurements": 1}
    return {"archive": 1, "cdner_bench": "1", "schemas": schemas, "files": list_files(files), **change}


def head(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info


def pack(members: Sequence[tuple[tarfile.TarInfo, bytes]], *, form: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(stream.getvalue(), 1)


def put(files: Files, manifest: object = None, more: Sequence[tuple[tarfile.TarInfo, bytes]] = ()) -> bytes:
    """An archive of files, whatever its manifest says."""
    said = make_manifest(files) if manifest is None else manifest
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    members = [(head("manifest.json", len(text)), text), *((head(p, len(d)), d) for p, d in files.items()), *more]
    return pack(members)


GOOD: Files = {PATH: RESULT.read_bytes(), KEPT: PREDICTIONS}


def claim(path: str, size: object = 1, digest: object = "0" * 64) -> bytes:
    """An archive whose manifest lists one more file."""
    record = make_manifest(GOOD)
    return put(GOOD, {**record, "files": [*record["files"], {"path": path, "size": size, "sha256": digest}]})


def change(path: str, data: bytes) -> bytes:
    """An archive in which one of the good files has another content, of which the manifest knows nothing."""
    return put({**GOOD, path: data}, make_manifest(GOOD))


def add(info: tarfile.TarInfo, data: bytes = b"") -> bytes:
    return put(GOOD, more=[(info, data)])


def call_sparse() -> bytes:
    """A member that says to be a gigabyte of holes."""
    info = head(PATH, 512)
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(2**30)}
    return put({KEPT: PREDICTIONS}, make_manifest(GOOD), [(info, b"0\n".ljust(512, b"\0"))])


def lengthen_header() -> bytes:
    """A member with a header of sixteen megabytes."""
    info = head("x", 0)
    info.pax_headers = {"comment": "x" * 2**24}
    return add(info)


def rename(record: bytes, field: str, value: str) -> bytes:
    table = json.loads(record)
    table[field] = value
    return json.dumps(table).encode()


RECORD = RESULT.read_bytes()
LINE = b'{"phase": "fit", "epoch": "one", "numbers": {}}\n'
TWICE = b'{"archive": 1, "archive": 1}'
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "no archive": (lambda: b"hello", "damaged or cut off"),
    "nothing": (lambda: b"", "is refused"),
    "nothing packed": (lambda: gzip.compress(b""), "is refused"),
    "no tar": (lambda: gzip.compress(b"x" * 10_000), "no archive of runs export"),
    "cut off": (lambda: put(GOOD)[:-2000], f"cut off.*{KEPT} is missing"),
    "a byte flipped": (lambda: put(GOOD)[:-8] + bytes(8), "damaged"),
    "something behind": (lambda: put(GOOD) + b"more", "damaged"),
    "no manifest": (lambda: pack([(head(PATH, SIZE), RECORD)]), "does not begin with manifest.json"),
    "a manifest that is a link": (lambda: pack([(head("manifest.json", 0, tarfile.SYMTYPE, "/x"), b"")]), "not begin"),
    "a manifest that is no JSON": (lambda: put(GOOD, b"{"), "is not JSON"),
    "a manifest with a key twice": (lambda: put(GOOD, TWICE), "stands twice"),
    "a manifest that is nested": (lambda: put(GOOD, b"[" * 100), "nested too deeply"),
    "a manifest that is a list": (lambda: put(GOOD, []), "is no manifest"),
    "a manifest without files": (lambda: put(GOOD, {**make_manifest(GOOD), "files": []}), "files are a list"),
    "a newer form": (lambda: put(GOOD, make_manifest(GOOD, archive=2)), "form 2, which is newer"),
    "a newer schema": (lambda: put(GOOD, make_manifest(GOOD, schemas={"results": 99})), "schema 99 of results"),
    "an absolute path": (lambda: claim("/etc/passwd"), "begins or ends with '/'"),
    "a path upwards": (lambda: claim("../x.json"), "leads elsewhere"),
    "a path upwards inside": (lambda: claim("leaderboards/results/../../../x.json"), "leads elsewhere"),
    "a home": (lambda: claim("~root/x"), "leads elsewhere"),
    "a backslash": (lambda: claim("leaderboards\\results\\x.json"), "a character that stands in no path"),
    "a drive": (lambda: claim("C:/leaderboards/results/x.json"), "a character that stands in no path"),
    "a NUL": (lambda: claim("leaderboards/results/x\0.json"), "a character that stands in no path"),
    "a device of Windows": (lambda: claim("leaderboards/results/con.json"), "a device of Windows"),
    "a hook of git": (lambda: claim(".git/hooks/post-commit"), "is no file of a study"),
    "a page": (lambda: claim("leaderboards/mini/single.md"), "is no file of a study"),
    "a folder of no run": (lambda: claim("runs/0123/run.json"), "is no file of a study"),
    "a lock": (lambda: claim("runs/0123456789abcdef/lock"), "is no file of a study"),
    "a path in two cases": (lambda: claim(PATH.replace("gpt4", "GPT4")), "are one file on some systems"),
    "a path twice": (lambda: claim(PATH), "are one file on some systems"),
    "a file that is a folder": (lambda: claim(f"{PATH}/x.json"), "is a file, and the folder of"),
    "a path that is no text": (lambda: claim(7), "a path is a text"),  # type: ignore[arg-type]
    "a negative size": (lambda: claim("leaderboards/answers/a.jsonl", -1), "the size of"),
    "a size that is no number": (lambda: claim("leaderboards/answers/a.jsonl", 1.0), "the size of"),
    "a hash that is none": (lambda: claim("leaderboards/answers/a.jsonl", 1, "x" * 64), "the sha256 of"),
    "more than is allowed": (lambda: claim("leaderboards/answers/a.jsonl", 2**40), "holds 1024.0 GiB"),
    "a file missing": (lambda: claim("leaderboards/answers/a.jsonl"), "a.jsonl is missing"),
    "a file altered": (lambda: change(PATH, RECORD.replace(b"finished", b"FINISHED")), f"{PATH} is damaged"),
    "a file of another size": (lambda: change(PATH, RECORD + b" "), f"{PATH} was altered"),
    "a file that is a bomb": (lambda: change(KEPT, bytes(2**26)), "was altered.*more than its manifest says"),
    "a bomb behind": (lambda: gzip.compress(gzip.decompress(put(GOOD)) + bytes(2**26)), "holds more"),
    "a header that is a bomb": (lengthen_header, "holds more"),
    "a file that nobody lists": (lambda: add(head("x.json", 1), b"x"), "'x.json' is not in the manifest"),
    "a file twice": (lambda: add(head(PATH, SIZE), RECORD), f"{PATH} is there twice"),
    "a link": (lambda: add(head("x", 0, tarfile.SYMTYPE, "/etc/passwd")), "is a link, a folder or a device"),
    "a hard link": (lambda: add(head(PATH, 0, tarfile.LNKTYPE, KEPT)), "is a link, a folder or a device"),
    "a device": (lambda: add(head("x", 0, tarfile.CHRTYPE)), "is a link, a folder or a device"),
    "a pipe": (lambda: add(head("x", 0, tarfile.FIFOTYPE)), "is a link, a folder or a device"),
    "a folder": (lambda: add(head("runs", 0, tarfile.DIRTYPE)), "is a link, a folder or a device"),
    "a file of holes": (call_sparse, "is a link, a folder or a device"),
    "a result elsewhere": (lambda: put({PATH.replace("/ai/", "/music/"): RECORD}), "its content belongs elsewhere"),
    "a result that is none": (lambda: put({PATH: b"{}"}), f"{PATH}: is no result: it has no schema"),
    "a result of an unknown state": (lambda: put({PATH: rename(RECORD, "status", "fine")}), "status"),
    "a run's record elsewhere": (lambda: put({"runs/0123456789abcdef/run.json": RECORD}), "it is of another run"),
    "a curve that is none": (lambda: put({"runs/0123456789abcdef/curve.jsonl": LINE}), "an epoch has the name"),
    "predictions of no name": (
        lambda: put({"leaderboards/predictions/A B/single/ai/x.jsonl.gz": b""}),
        "cannot be called 'A B'",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_wrong_is_named_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    make, said = HOSTILE[name]
    archive, out = tmp_path / "a.tar.gz", tmp_path / "out"
    archive.write_bytes(make())
    with pytest.raises(CdnerError, match=f"(?s){said}"):
        import_archive(archive, out)
    assert list(out.rglob("*")) == []
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar.gz", "out"}


def test_the_good_files_of_these_are_imported(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(put(GOOD))
    assert import_archive(tmp_path / "a.tar.gz", tmp_path / "out").new == [PATH, KEPT]
    assert {p: (tmp_path / "out" / p).read_bytes() for p in GOOD} == GOOD


def test_the_boards_of_this_repository_go_round(home: Path, tmp_path: Path) -> None:
    whole = tmp_path / "a.tar.gz"
    made = export(whole, list_stored(home), home, whole=True, weights=False)
    assert set(import_archive(whole, tmp_path / "out").new) == {file.path for file in made.files}
    there = [p for p in home.rglob("*") if p.is_file()]
    assert len(there) > 200
    assert {p: p.read_bytes() for p in there} == {
        p: (tmp_path / "out" / p.relative_to(home)).read_bytes() for p in there
    }
    export(tmp_path / "b.tar.gz", list_stored(tmp_path / "out"), tmp_path / "out", whole=True, weights=False)
    assert (tmp_path / "b.tar.gz").read_bytes() == whole.read_bytes()
    again = import_archive(whole, tmp_path / "out")
    assert (again.new, again.replaced, again.conflicts) == ([], [], {})
    assert len(again.equal) == len(made.files)


@pytest.fixture
def sent(home: Path, tmp_path: Path) -> Path:
    place = tmp_path / "a.tar.gz"
    export(place, find_stored(str(home / PATH), home), home, whole=False, weights=False)
    return place


def test_a_file_system_that_cannot_flush_has_archives_too(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(os, "fsync", fail)
    place = tmp_path / "a.tar.gz"
    with pytest.warns(CdnerWarning, match=r"cannot be told to flush \(fsync\)"):
        export(place, find_stored(str(home / PATH), home), home, whole=False, weights=False)
    with pytest.warns(CdnerWarning, match=r"cannot be told to flush \(fsync\)"):
        import_archive(place, tmp_path / "out")
    assert {p: (tmp_path / "out" / p).read_bytes() for p in GOOD} == GOOD


def test_another_result_stays_with_its_predictions_unless_it_is_replaced(sent: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    import_archive(sent, out)
    here = out / PATH
    here.write_text(here.read_text().replace('"device": "', '"device": "another '))
    (out / KEPT).unlink()
    made = import_archive(sent, out)
    assert (made.new, made.equal, list(made.conflicts)) == ([], [], [PATH])
    assert "another " in here.read_text()
    assert not (out / KEPT).exists()
    made = import_archive(sent, out, replace=True)
    assert (made.new, made.replaced, made.conflicts) == ([KEPT], [PATH], {})
    assert {p: (out / p).read_bytes() for p in GOOD} == GOOD


def test_what_lay_beside_a_replaced_result_goes_with_it(tmp_path: Path) -> None:
    out, curve = tmp_path / "out", KEPT.replace(".jsonl.gz", ".curve.jsonl")
    (tmp_path / "a.tar.gz").write_bytes(put({PATH: RECORD}))
    for path in (PATH, KEPT, curve):
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(b"{}")
    with pytest.warns(RefusedWarning):
        made = import_archive(tmp_path / "a.tar.gz", out, replace=True)
    assert made.replaced == [PATH, KEPT, curve]
    assert [path.name for path in out.rglob("*") if path.is_file()] == [RESULT.name]


def test_a_run_that_lies_elsewhere_is_not_put_there_twice(sent: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = json.loads(RECORD)
    result["method"]["options"]["more"] = 1
    (out / "x").mkdir(parents=True)
    (out / "x" / "r.json").write_text(json.dumps(result))
    moved = results.load(out / "x" / "r.json")
    place = out / "leaderboards" / "results" / moved.path
    place.parent.mkdir(parents=True)
    (out / "x" / "r.json").rename(place)
    for replace in (False, True):
        made = import_archive(sent, out, replace=replace)
        assert (made.new, made.replaced) == ([], [])
        assert "the same run is at" in made.conflicts[PATH]


@pytest.mark.parametrize("obstacle", ["link", "file", "folder"])
def test_what_is_in_the_way_is_named_before_anything_is_written(obstacle: str, sent: Path, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    out.mkdir()
    match obstacle:
        case "link":
            (out / "leaderboards").symlink_to(elsewhere)
        case "file":
            (out / "leaderboards").write_text("")
        case "folder":
            (out / PATH).mkdir(parents=True)
    before = sorted(out.rglob("*"))
    with pytest.raises(CdnerError, match=r"leads by a link|is a file here|is a folder here"):
        import_archive(sent, out)
    assert sorted(out.rglob("*")) == before
    assert list(elsewhere.iterdir()) == []


def test_a_run_that_is_being_made_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(put({"runs/0123456789abcdef/log.txt": b"x"}))
    folder = tmp_path / "out" / "runs" / "0123456789abcdef"
    with lock(folder / "lock"), pytest.raises(BusyError):
        import_archive(tmp_path / "a.tar.gz", tmp_path / "out")
    assert [path.name for path in folder.iterdir()] == ["lock"]
    assert import_archive(tmp_path / "a.tar.gz", tmp_path / "out").new


def test_more_runs_are_imported_again_than_a_process_may_have_files_open(tmp_path: Path) -> None:
    names = [f"runs/{number:016x}/log.txt" for number in range(60)]
    (tmp_path / "a.tar.gz").write_bytes(put(dict.fromkeys(names, b"x")))
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).with_name("lock").touch()
    with few_files(30):
        assert import_archive(tmp_path / "a.tar.gz", tmp_path).new == names


def test_weights_go_along_only_if_they_are_asked_for(sent: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    import_archive(sent, out)
    (stored,) = find_stored(RUN, out)
    folder, stage = out / "runs" / stored.id, out / "runs" / "shared" / "source-0123456789abcdef"
    places = (folder / "stages" / "fit", folder / "model", stage)
    for path in (*(place / "model.safetensors" for place in places), folder / "log.txt"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (folder / "shared.txt").write_text(f"{stage.name}\n")
    plain = export(tmp_path / "p.tar.gz", find_stored(RUN, out), out, whole=False, weights=False)
    full = export(tmp_path / "w.tar.gz", find_stored(RUN, out), out, whole=False, weights=True)
    more = {file.path for file in full.files} - {file.path for file in plain.files}
    assert {path.split("/")[-1] for path in more} == {"model.safetensors"}
    assert len(more) == len(places)
    shutil.rmtree(out / "runs")
    assert set(import_archive(tmp_path / "w.tar.gz", out).new) >= more


def test_an_archive_is_called_one(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"does not end in \.tar\.gz"):
        export(tmp_path / "a.zip", [], tmp_path, whole=True, weights=False)
    with pytest.raises(CdnerError, match="there is nothing to export"):
        export(tmp_path / "a.tar.gz", [], tmp_path, whole=True, weights=False)
    assert list(tmp_path.iterdir()) == []
