"""Types as answers spell them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from ...errors import DataError
from .alignment import fold_text

_NONE = re.compile(
    r"none(found)?|n/?a|null|nil|nothing|empty|no(named)?entit(y|ies)(found)?|not(found|present|applicable)"
)


def squeeze_type(kind: str) -> str:
    """A type without case, accents, blanks, `_`, `-`, quotes and marks of emphasis."""
    return re.sub(r"""[\s_\-"'`*“”‘’]+""", "", fold_text(kind))


def is_none(text: str) -> bool:
    """Whether a text says that there is nothing, in usual words."""
    return _NONE.fullmatch(squeeze_type(text).strip("()[].,:;!")) is not None


def name_type(said: str, types: Iterable[str]) -> str:
    """The type that is meant, where what is said differs from one type alone in case, blanks, `_`, `-` or quotes; else
    what is said.
    """
    known = tuple(sorted(types))
    return said if said in known else _list_names(known).get(squeeze_type(said), said)


@lru_cache(maxsize=64)
def _list_names(types: tuple[str, ...]) -> Mapping[str, str]:
    names = [squeeze_type(kind) for kind in types]
    return {name: kind for name, kind in zip(names, types, strict=True) if names.count(name) == 1}


def check_folded(types: Collection[str]) -> None:
    """Raise `DataError` for types that are one to a vocabulary without case and accents."""
    known = set(types)
    names = {fold_text(kind): kind for kind in sorted(known)}
    if len(names) < len(known):
        same = next(kind for kind in sorted(known) if names[fold_text(kind)] != kind)
        raise DataError(
            f"the types {same!r} and {names[fold_text(same)]!r} are one to a vocabulary without case",
            hint="rename one of them, or take a backbone that knows upper case",
        )
