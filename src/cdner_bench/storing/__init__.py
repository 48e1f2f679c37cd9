"""What runs have left behind: listed, shown in full, removed, and carried to another machine as one checked archive."""

from .archive import export
from .importing import Imported, import_archive
from .portrait import Portrait, Wrong, list_facts, portray, tell_phase
from .removing import Removal, plan_removal, remove
from .stored import State, Stored, find_each, find_stored, list_stored

__all__ = [
    "Imported",
    "Portrait",
    "Removal",
    "State",
    "Stored",
    "Wrong",
    "export",
    "find_each",
    "find_stored",
    "import_archive",
    "list_facts",
    "list_stored",
    "plan_removal",
    "portray",
    "remove",
    "tell_phase",
]
