"""The commands that make runs, and the one that says what they would make."""
