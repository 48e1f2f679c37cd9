"""Addresses that a benchmark file names: which may be read from, and reading that stays with them."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from typing import IO, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..errors import DataError, FetchError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def check_address(url: str, where: str) -> str:
    """The address, if files may be fetched below it: over https, from this machine's files, or from a server on this
    machine. `where` says what names it. Raises `DataError`.
    """
    if not _is_fit(url):
        raise DataError(f"{where}: nothing is fetched from {url!r}", hint="write an address with https:// or file://")
    return url


def open_address(url: str, headers: dict[str, str], timeout: float) -> Any:
    """What an address answers with. Raises `FetchError` if it sends on to another kind of address, else as urllib."""
    parts = urlsplit(url)
    if parts.scheme == "file" and not os.path.isfile(url2pathname(parts.path)):
        raise urllib.error.URLError(f"there is no file {url2pathname(parts.path)}")
    opener = urllib.request.build_opener(_SameScheme)
    return opener.open(urllib.request.Request(url, headers=headers), timeout=timeout)


class _SameScheme(urllib.request.HTTPRedirectHandler):
    """Follows redirects within one scheme only."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """The request that follows a redirect. Raises `FetchError` for an address of another kind."""
        if urlsplit(newurl).scheme != urlsplit(req.full_url).scheme or not _is_fit(newurl):
            raise FetchError(f"{req.full_url} sends requests on to {newurl}, which is an address of another kind")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_fit(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    if parts.scheme == "file":
        return parts.netloc in ("", "localhost")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
