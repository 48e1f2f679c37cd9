"""Words, with signs apart."""

import re

WORD = re.compile(r"\w+|[^\w\s]")
"""A run of letters and digits, or any other character that is no white space."""
