"""What a word is: letters and digits in a row, or one sign."""

import re

WORD = re.compile(r"\w+|[^\w\s]")
"""A run of letters and digits, or any other character that is no white space."""
