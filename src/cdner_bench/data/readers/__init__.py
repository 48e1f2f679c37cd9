"""Formats of labelled sentences: a module a format, recognised from what a file holds."""

from . import conll, schemes
from .brat import list_parts
from .labelled import Labelled, LabelledFile, Lost, find_bounds, place_on_tokens, stand_in_order
from .reading import check_types, count_unknown_types, guess_type, make_sentences, read_file, read_sentences
from .source import show_name
from .unlabelled import PLAIN, Unlabelled, read_unlabelled
from .writing import WRITERS, Marked, Written, check_writable, convert, name_files, write

__all__ = [
    "PLAIN",
    "WRITERS",
    "Labelled",
    "LabelledFile",
    "Lost",
    "Marked",
    "Unlabelled",
    "Written",
    "check_types",
    "check_writable",
    "conll",
    "convert",
    "count_unknown_types",
    "find_bounds",
    "guess_type",
    "list_parts",
    "make_sentences",
    "name_files",
    "place_on_tokens",
    "read_file",
    "read_sentences",
    "read_unlabelled",
    "schemes",
    "show_name",
    "stand_in_order",
    "write",
]
