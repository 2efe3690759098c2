"""Records of the replies: by status, by route, and how they were held against what the routes expect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Check = Literal["body", "text", "status"]
"""What of a reply is compared under load: the whole body, a text that it contains, or nothing but the status."""


@dataclass(frozen=True)
class Checks:
    """How the replies of a row are checked."""

    under_load: Mapping[str, Check]
    """By route. The status is always compared."""
    partly: tuple[str, ...] = ()
    """Requests whose replies are compared under load with only a part of their expectation."""
    same: tuple[str, ...] = ()
    """Requests that got one body for different parameters, although their expectation does not have the whole body."""


@dataclass(frozen=True)
class RouteReplies:
    """How many replies fit the expectation of one route, or those of several routes alike."""

    status: int
    routes: tuple[str, ...]
    """All the routes that such a reply fits."""
    replies: int
