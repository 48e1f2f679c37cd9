"""Formats of labelled sentences: a module a format."""
