"""Do something to several machines at once, and collect their errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from benchrig.errors import MachineError

T = TypeVar("T")

IN_PARALLEL = 8

GRACE_SECONDS = 0.5
"""Time that the work in hand has to undo what is half done after Ctrl-C. What it leaves is undone at the next start."""


def each(machines: Iterable[T], act: Callable[[T], None]) -> None:
    """Do something to several machines at once. Raises one MachineError with all their errors."""
    pool = ThreadPoolExecutor(max_workers=IN_PARALLEL)
    futures = [pool.submit(act, machine) for machine in machines]
    try:
        errors = [future.exception() for future in futures]
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        wait(futures, GRACE_SECONDS)
        raise
    pool.shutdown()
    for error in errors:
        if error is not None and not isinstance(error, MachineError):
            raise error
    failed = [error for error in errors if isinstance(error, MachineError)]
    if failed:
        raise MachineError("\n".join(map(str, failed)), failed[0].hint)
