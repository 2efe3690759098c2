"""Links of a page to the files of its run: relative, percent-encoded, and never to a file outside of the run's folder."""

from __future__ import annotations

from urllib.parse import quote


def link(folder: str | None, path: str) -> str:
    """Return the address of a file of a run; empty where there is none to give.

    `folder` is the path from the page to the run's folder, and empty where they are one; None where there is no folder.
    `path` is relative to that folder. It comes from the records of a run, which may be someone else's: one that leaves the
    folder has no address.
    """
    parts = path.split("/")
    if folder is None or "\\" in path or any(part in ("", ".", "..") for part in parts):
        return ""
    # A colon is encoded as well: the address cannot begin with the name of a protocol.
    return quote("/".join([*([folder.rstrip("/")] if folder else []), *parts]))
