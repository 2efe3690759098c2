"""Lookup `glob`: the files that match a pattern, in order. Ansible's own `fileglob` takes no wildcard in a folder's name."""

from __future__ import annotations

import glob
from typing import Any

from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    """What Ansible loads."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        """Return the paths that match any of the patterns `terms`."""
        return sorted(path for pattern in terms for path in glob.glob(pattern))
