"""A run on the host: reads the request, takes the host's lock, asks for the bundle if it is missing, and runs the plays.

The controller's end of standard input is its life line: when it closes, or a signal comes, the agent finishes the running
task and stops. The handlers still to run, and what the controller has not heard, are kept for the next agent.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from .. import causes, lock
from ..redact import Redactor
from . import beat, events
from .handlers import UnreadableError
from .journal import Journal
from .pipes import Gone, Inbox, Outbox, Stop
from .session import Session
from .store import DamagedError, Store

STATE = Path("/var/lib/benchrig")
"""Folder of bundles, pending handlers and the journal on the host."""

LOCK = lock.PATH

WAIT_SECONDS = 600.0
"""How long a run waits for another session to leave the host."""

_CONFIRM_SECONDS = 10.0
_ASK_AGAIN_SECONDS = 0.2


class InUseError(Exception):
    """Another session does not leave the host."""


def main() -> int:
    """Do what the request on standard input asks; return the exit code: 0, or 1 when a task failed or the run ended."""
    os.umask(0o022)
    path = os.environ.get("PATH", "/usr/bin:/bin").split(":")
    os.environ["PATH"] = ":".join(dict.fromkeys([*path, "/usr/local/sbin", "/usr/sbin", "/sbin"]))
    stop = Stop()
    line = sys.stdin.buffer.readline()
    if not line:
        return 1
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, stop)
    redactor = Redactor()
    inbox = Inbox(sys.stdin.buffer, stop)
    outbox = Outbox(sys.stdout.fileno(), redactor, stop)
    over = beat.start(outbox)
    code: int | None = None
    try:
        code = _serve(events.decode_request(line), inbox, outbox, redactor)
    except Gone:
        if stop.asked:
            outbox.send(events.Ended("a signal stopped the agent, after its running task"))
    except InUseError as error:
        outbox.send(events.Ended(str(error), "Wait for its end, or end it where it was started.", in_use=True))
    except (UnreadableError, DamagedError) as error:
        outbox.send(events.Ended(str(error), getattr(error, "cure", "")))
    except OSError as error:
        text = f"{error.filename or 'this host'}: {(error.strerror or str(error)).lower()}"
        root = "" if os.geteuid() == 0 else "The agent needs root; set 'ansible_become: true' for this host."
        outbox.send(events.Ended(text, root or causes.cure(text)))
    outbox.flush()
    over.set()
    if code is None and outbox.keeper is not None:
        # Its controller is gone, or has heard why it ends: only what was not sent is untold.
        outbox.keeper.lost()
    return 1 if code is None else code


def _serve(request: events.Request, inbox: Inbox, outbox: Outbox, redactor: Redactor) -> int:
    with _alone(request, inbox, outbox):
        STATE.mkdir(parents=True, exist_ok=True)
        # Only root may read what comes with a play: there may be keys in it.
        STATE.chmod(0o700)
        journal = Journal(STATE / "journal.jsonl", request.run, request.who, keep=not request.check)
        for result in journal.take_over(request.heard):
            outbox.send(result)
        outbox.keeper = journal
        recap = Session(request, _bundle(request.bundle, inbox, outbox), STATE, inbox, outbox, redactor).run()
        outbox.send(replace(recap, confirm=bool(journal)))
        outbox.flush()
        if journal and inbox.confirmed(_CONFIRM_SECONDS):
            journal.heard()
    return 1 if recap.failed else 0


@contextmanager
def _alone(request: events.Request, inbox: Inbox, outbox: Outbox) -> Iterator[None]:
    """Have this host for one run. Raises InUseError when another session does not leave it."""
    own = lock.Owner("provision", request.session, f"{request.who}, of {request.host}", os.getpid(), time.time())
    deadline = time.monotonic() + WAIT_SECONDS
    told = False
    while True:
        try:
            held = _taken(own)
            break
        except lock.HeldError as error:
            ours = request.run != "" and _run_of_holder(error.owner) == request.run
            if not ours and time.monotonic() > deadline:
                raise InUseError(f"{error}; it did not end in {WAIT_SECONDS:.0f} s") from None
            if ours and not told and error.owner:
                # It may not know yet that its connection is lost.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(error.owner.pid, signal.SIGTERM)
            if not told:
                text = f"{error}; waiting for its end, {WAIT_SECONDS / 60:.0f} minutes at most"
                if ours:
                    text = "waiting until the agent of the lost connection has finished its task"
                outbox.send(events.Notice(text))
                outbox.flush()
                told = True
        inbox.still_there()
        time.sleep(_ASK_AGAIN_SECONDS)
    with held:
        # Only the next agent of this run wants it, after a lost connection.
        with contextlib.suppress(OSError):
            _run_file().write_text(f"{os.getpid()} {request.run}", encoding="ascii")
        yield


def _taken(own: lock.Owner) -> ExitStack:
    """Take the host's lock and the one that provisions have among themselves. Raises HeldError.

    A bench lets all provisions of its session in, also one whose connection is lost, and the one that comes in its place.
    """
    with ExitStack() as both:
        for path in (LOCK, LOCK.with_name("provision")):
            both.enter_context(lock.take(path, own))
        return both.pop_all()


def _run_of_holder(holder: lock.Owner | None) -> str:
    """Return the run of the provision that has the lock; empty when something else has it."""
    try:
        pid, run = _run_file().read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return ""
    return run if holder and str(holder.pid) == pid else ""


def _run_file() -> Path:
    """Return the file beside the lock that says which run its holder belongs to."""
    return LOCK.with_name("run")


def _bundle(sha: str, inbox: Inbox, outbox: Outbox) -> Path:
    """Return the folder of a bundle; asks for it when it is not here whole. Raises DamagedError when another one comes."""
    store = Store(STATE / "bundles")
    folder = store.find(sha)
    if folder is None:
        outbox.send(events.NeedBundle())
        outbox.flush()
        folder = store.add(sha, inbox.read(int(inbox.line())))
    return folder
