"""Lookup `glob`: the files that match a pattern, in order. Ansible's own `fileglob` takes no wildcard in a folder's name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    """What Ansible loads."""

    def run(self, terms: list[str], **_options: Any) -> list[str]:
        """Return the paths that match any of the absolute patterns `terms`."""
        return sorted(str(path) for pattern in terms for path in Path("/").glob(pattern.lstrip("/")))
