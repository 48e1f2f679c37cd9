"""What the plugins that train with torch share. Not a plugin itself: it registers nothing.

A plugin that imports it says so with `SHARES = ("cdner_torch",)` in its top module, so that its version, and with it
the id of its runs, changes when this code does.
"""
