"""Links of a page to the files of its run: relative, percent-encoded, and never to a file outside of the run's folder."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote

from benchrig.bench.generators.registry import GENERATORS

SAFE = frozenset({".txt", ".csv", ".json", ".md", *(one.script_suffix for one in GENERATORS.values())})
"""Endings of the files that a run has; a browser shows or stores them, and runs nothing in them."""


def link(folder: str | None, path: str) -> str:
    """Return the address of a file of a run; empty where there is none to give.

    `folder` is the path from the page to the run's folder, and empty where they are one; None where there is no folder.
    `path` is relative to that folder. It comes from the records of a run, which may be someone else's: one that leaves the
    folder has no address, and neither has one that a browser might run.
    """
    parts = path.split("/")
    leaves = "\\" in path or any(part in ("", ".", "..") for part in parts)
    if folder is None or leaves or PurePosixPath(path).suffix not in SAFE:
        return ""
    # A colon is encoded as well: the address cannot begin with the name of a protocol.
    return quote("/".join([*([folder.rstrip("/")] if folder else []), *parts]))
