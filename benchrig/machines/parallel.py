"""Do something to several machines at once, and collect their errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from benchrig.errors import MachineError

T = TypeVar("T")

IN_PARALLEL = 8


def each(machines: Iterable[T], act: Callable[[T], None]) -> None:
    """Do something to several machines at once. Raises one MachineError with all their errors."""
    with ThreadPoolExecutor(max_workers=IN_PARALLEL) as pool:
        errors = [future.exception() for future in [pool.submit(act, machine) for machine in machines]]
    for error in errors:
        if error is not None and not isinstance(error, MachineError):
            raise error
    failed = [error for error in errors if isinstance(error, MachineError)]
    if failed:
        raise MachineError("\n".join(map(str, failed)), failed[0].hint)
