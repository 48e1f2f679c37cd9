"""Interpreters of their own for methods whose libraries conflict with those of the harness, each made from a lock."""

from .environment import Environment
from .making import make, write_lock

__all__ = ["Environment", "make", "write_lock"]
