"""The task that watches a bench."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchrig import console
from benchrig.cli.chain import ChainContext
from benchrig.cli.task import ROOT, command
from benchrig.errors import BenchrigError, InputError

if TYPE_CHECKING:
    from benchrig.results.running import Running


@command(
    help={
        "run": "which one, if several run: its process, its run or its suite",
        "browser": "show it as a page, for a browser on this computer; its address is printed",
    },
    words=("run",),
)
def watch(ctx: ChainContext, run: str = "", browser: bool = False) -> Iterator[None]:
    """Show a bench that runs in this project, until it ends.

    Example: ./inv watch
    """
    from benchrig.watch import terminal

    yield
    state = chosen(run)
    if not browser:
        terminal.follow(ROOT, state)
        return
    from benchrig.watch.server import Served

    with Served() as served:
        console.result(served.address)
        for seen in terminal.views(ROOT, state):
            served.show(seen)
        console.line(seen.ended)
        served.await_last()


def chosen(name: str) -> Running:
    """Return the bench that is meant. Raises BenchrigError when none runs, InputError when several may be meant."""
    from benchrig.results.running import running
    from benchrig.watch.view import named

    known = running(ROOT)
    if not known:
        raise BenchrigError("no bench runs in this project")
    found = [state for state in known if name in ("", str(state.pid), state.run, state.suite)]
    if len(found) == 1:
        return found[0]
    listed = "; ".join(map(named, found or known))
    if not found:
        raise InputError(f"no bench '{name}' runs in this project; those that run: {listed}")
    raise InputError(f"{len(found)} benches run in this project: {listed}", "Name one by its process: ./inv watch PROCESS")
