"""A report to send to a colleague: boards, runs and analyses as a folder of linked pages that open from the disk."""

from .building import Site, build_site

__all__ = ["Site", "build_site"]
