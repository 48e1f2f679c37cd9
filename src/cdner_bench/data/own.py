"""A target domain of one's own: a folder of files, learnt from the domains of a benchmark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import DataError, OptionError
from ..names import check_domain
from .benchmark import SPLITS, Benchmark, DataFile, Domain, Setting, describe_transfer, list_shipped

OWN_RESOURCES = {"gtok": "gtok.json", "dapt": "dapt.txt"}
"""What files beside the splits of an own domain are taken for."""

_SPLIT_NAMES = {"train": ("train",), "dev": ("dev", "valid", "val"), "test": ("test",)}


def build_on(base: Benchmark, folder: Path, sources: Sequence[str]) -> Benchmark:
    """A benchmark with one target, the domain in `folder`, learnt from `sources` of another benchmark. The folder holds
    `train`, `dev` and `test` files in any of the formats that `readers` knows; `gtok.json` and `dapt.txt` if there are
    such. Its setting is `single` with one source, else `multi`.

    Raises `DataError` for a folder without them, `OptionError` for unknown sources and for a name that is none.
    """
    name = check_domain(
        re.sub(r"[^\w.-]+", "-", folder.resolve().name).strip(".-").lower() or "target",
        f"{folder}: the folder names a domain, which",
        OptionError,
    )
    if name in base.domains or name in list_shipped():
        raise OptionError(f"{folder}: there is a domain or a benchmark {name!r} already", hint="rename the folder")
    splits = {split: DataFile(folder, _find_split(folder, split)) for split in SPLITS}
    resources = {key: DataFile(folder, file) for key, file in OWN_RESOURCES.items() if (folder / file).is_file()}
    setting = Setting(describe_transfer(sources, [name]), tuple(sources), (name,))
    for source in sources:
        base.domain(source)
    built = replace(
        base,
        name=name,
        given=str(folder),
        version="1",
        title=name,
        domains={**base.domains, name: Domain(name, name, None, splits, resources)},
        settings={"single" if len(sources) == 1 else "multi": setting},
        limit=None,
        _read={},
    )
    return built if base.limit is None else built.cut_to(base.limit)


def _find_split(folder: Path, split: str) -> str:
    """The name of the file of a split. Raises `DataError` if there is none or more than one."""
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}", hint="name the folder that holds train, dev and test files")
    files = sorted(path.name for path in folder.iterdir() if path.is_file())
    found = [name for name in files if name.lower().startswith(_SPLIT_NAMES[split])]
    labelled = [name for name in found if name.removesuffix(".gz").endswith(".ann")] or found
    if len(labelled) != 1:
        raise DataError(
            f"{folder} has {'no file' if not found else 'several files'} for the {split} split"
            + (f": {', '.join(labelled)}" if found else ""),
            hint=f"it needs one whose name begins with {' or '.join(_SPLIT_NAMES[split])} (docs/formats.md)",
        )
    return labelled[0]
