"""The commands about runs that were made: each parses, calls one function and prints."""
