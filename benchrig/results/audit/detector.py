"""The interface of a detector of warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchrig.results.model import Cell, Run
from benchrig.results.warnings import Warning

Detector = Callable[[Cell, Run], Iterator[Warning]]
"""Yields the warnings of one kind about a measured cell of a run; none where the cell lacks what it needs."""
