"""Load generators: a folder each, over the interface in `base.py`, named in `registry.py`."""
