"""File systems that cannot do what is asked of them: which, and what follows from it."""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import CdnerWarning, PlaceError

LACKS = {errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What a file system answers to a request that it does not know, as NFS, FUSE and mounts in containers do."""
REFUSALS = LACKS | {
    getattr(errno, name)
    for name in (
        *("EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "ELOOP", "ENAMETOOLONG"),
        *("ENOSPC", "EDQUOT", "EFBIG", "EIO", "ESTALE"),
    )
    if hasattr(errno, name)
}
"""What a file system answers to a write that it will not have; errors of a network are others."""


NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""What a file system answers that is full, or whose user or file may have no more of it."""


def warn_unflushed(path: Path, error: OSError) -> None:
    """Warn that the file system of a path cannot flush, once for each file system."""
    mount = next(place for place in path.absolute().parents if os.path.ismount(place))
    text = f"the file system at {mount} cannot be told to flush (fsync): {error.strerror}; "
    warnings.warn(f"{text}a power cut may lose the newest files", CdnerWarning, stacklevel=2)


@contextmanager
def writing(folder: Path, remedy: str) -> Iterator[None]:
    """Make a folder, for a block that writes below it. Raises `PlaceError` with the remedy for what the file system
    refuses there, the folder itself included.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        raise PlaceError(folder, _explain(error, folder), hint=remedy) from error


def _explain(error: OSError, folder: Path) -> str:
    """Why a folder cannot be written in: a file in its place, or what the system says, and of what else."""
    for place in (folder, *folder.parents):
        if os.path.isfile(place):
            return f"{place} is a file"
    beyond = error.filename and not Path(error.filename).is_relative_to(folder)
    return f"{error.strerror} ({error.filename})" if beyond else str(error.strerror)
