"""Failures of an app that its sandbox may have caused."""

from __future__ import annotations

import re

from benchrig.bench.app import App

_REFUSED = re.compile(
    r"read-only file system|operation not permitted|permission denied|address family not supported"
    r"|\b(?:EROFS|EPERM|EACCES|EAFNOSUPPORT)\b",
    re.IGNORECASE,
)
"""What the kernel says to a program that may not do something: the words, or the names of the error numbers."""


def suspicion(app: App, journal: str) -> str:
    """Return what to do about the last refusal in an app's journal, for the end of a reason; empty where there is none."""
    refusals: list[str] = _REFUSED.findall(journal) if app.is_ours and app.file.sandbox else []
    if not refusals:
        return ""
    return (
        f"; its sandbox may be the cause ('{refusals[-1]}'): 'sandbox: false' in its app.yml permits more, "
        "docs/your-own-app.md#the-sandbox"
    )
