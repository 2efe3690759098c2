"""The valid names nearest to a wrong one: every "did you mean" there is."""

from __future__ import annotations

from collections.abc import Iterable

MOST_SHOWN = 50
"""Names that a message lists."""

_LONGEST = 200
"""Characters of a name that may be a slip of another: a longer one takes long to compare."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `did you mean a or b?`, of at most three names; where none is near, `known: ` and all of them."""
    names = sorted(known)
    if near := close(name, names):
        return f"did you mean {' or '.join(near)}?"
    more = f" and {len(names) - MOST_SHOWN:,} more" if len(names) > MOST_SHOWN else ""
    return f"known: {', '.join(names[:MOST_SHOWN]) or 'none'}{more}"


def close(name: str, known: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """Return at most three of the known names, the nearest first; `cutoff` of 1 takes only the name itself."""
    import difflib

    if len(name) > _LONGEST:
        return []
    return difflib.get_close_matches(name, [*known], n=3, cutoff=cutoff)
