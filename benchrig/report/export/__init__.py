"""Exports: a file each, with a `render` that turns a report into text. `report/__init__.py` registers them."""
