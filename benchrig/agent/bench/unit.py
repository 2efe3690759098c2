"""An app as a systemd unit: start, wait until it answers, inspect, stop, check that its port is free."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shlex
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..redact import Redactor
from .cpus import cpu_list, cpu_set
from .facts import APPS, output, read, shortage
from .fetch import fetch
from .ports import await_free, listens_elsewhere, reserve, stranger
from .processes import UnitProcesses
from .protocol import Done, Fetch, FindWhatRuns, Journal, Port, Ran, Readiness, Stopped
from .runtime import USER, installed_distributions, versions

OURS = "benchrig-*.service"

PGPASS = "/etc/benchrig/pgpass"
"""The apps' passwords of their databases, as the role `app` writes them."""

SETTLE_SECONDS = 10.0
SETTLE_STEP = 0.05
SETTLED_CPU = 0.2
"""An app has finished starting when it uses less than this share of one core while nobody asks it anything."""


KEPT_LINES = 200
KEPT_BYTES = 64 << 10
"""The end of an app's journal that is kept of every cell."""

KEPT_SECONDS = 1.0
"""How long reading it may take after the app has been stopped."""

_FAILED = re.compile(r"^\S+\.service: (?!Main process|Failed at step|Failed with result)(.+)", re.MULTILINE)
"""What systemd could not do for a unit, in its journal."""


class UnitError(Exception):
    """systemd refuses what is asked."""


def _systemctl(*words: str) -> None:
    done = subprocess.run(("systemctl", *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise UnitError(done.stdout.decode(errors="replace").strip().partition("\n")[0].rstrip("."))


def show(unit: str, *names: str) -> dict[str, str]:
    """Return properties of a unit."""
    text = output(("systemctl", "show", f"--property={','.join(names)}", unit))
    return dict(line.partition("=")[::2] for line in text.split("\n") if line)


def free_port(port: int) -> Port:
    """Stop every app of ours, then check the port."""
    _systemctl("stop", OURS)
    # A unit that failed lately is otherwise refused its start, and its failure is of no more interest.
    _systemctl("reset-failed", OURS)
    reserve(port)
    return await_free(port)


def start(unit: str, cpus: str = "") -> Done:
    """Start a unit. Raises UnitError when systemd does not know it or cannot start it, or runs it as another user.

    With `cpus`, also when its process may use others than these.
    """
    try:
        _systemctl("start", unit)
    except UnitError as error:
        # systemd's own answer only says that the job failed; its journal says at what.
        said = _FAILED.search(journal(unit, 10).text)
        raise UnitError(f"systemd cannot start the app: {said[1] if said else error}{_not_started(unit)}") from None
    main = int(show(unit, "MainPID").get("MainPID") or 0)
    _check_user(unit, [main])
    if cpus and main and not (found := _affinity(main)) <= cpu_set(cpus):
        kill(unit)
        raise UnitError(f"systemd did not keep the app on the CPUs {cpus}: it may use {cpu_list(found)}; leave out --pin")
    return Done()


def _affinity(pid: int) -> set[int]:
    """Return the CPUs that a process may use; none when it has ended."""
    try:
        return os.sched_getaffinity(pid)
    except OSError:
        return set()


def _not_started(unit: str) -> str:
    """Return a note on a full disk, or on a machine that cannot apply the unit's sandbox, by systemd's own exit codes."""
    if full := shortage():
        return full
    code = int(show(unit, "ExecMainStatus").get("ExecMainStatus") or 0)
    step = {225: "NETWORK", 226: "NAMESPACE", 228: "SECCOMP", 218: "CAPABILITIES", 241: "NO_NEW_PRIVILEGES"}.get(code, "")
    return f"; this machine cannot apply its sandbox ({step}): set 'sandbox: false' in its app.yml" if step else ""


def _check_user(unit: str, pids: Iterable[int]) -> None:
    """Check whose processes these are; those of any other user than ours are ended. Raises UnitError."""
    ours = str(pwd.getpwnam(USER).pw_uid)
    for pid in pids:
        found = re.search(r"^Uid:\s+(.*)$", read(f"/proc/{pid}/status"), re.MULTILINE)
        others = set(found[1].split()) - {ours} if found else set()
        if others:
            kill(unit)
            raise UnitError(
                f"the app ran as user {_user(min(others, key=int))}, not as {USER} (process {pid}), and was stopped; "
                "./inv provision --tags app writes its unit anew"
            )


def _user(uid: str) -> str:
    try:
        return pwd.getpwuid(int(uid)).pw_name
    except KeyError:
        return uid


def stop(unit: str, port: int) -> Stopped:
    """Stop a unit and check that its port is free. The end of its journal is read meanwhile, so it costs no time."""
    with _written_by(unit) as written:
        hidden = _redactor(unit)
        _systemctl("stop", unit)
        free = await_free(port)
    return Stopped(free, hidden("".join(written)))


def _redactor(unit: str) -> Redactor:
    """Return what hides the secrets that an app knows: of its unit's environment, by their names, and of its databases."""
    hidden = Redactor()
    said = show(unit, "Environment").get("Environment", "")
    try:
        words = shlex.split(said)
    except ValueError:
        words = said.split()
    for word in words:
        name, _, value = word.partition("=")
        hidden.learn(name, value)
    for line in read(PGPASS).split("\n"):
        # host:port:database:user:password, in which the password may have escaped colons.
        if line.count(":") >= 4:
            hidden.learn("password", line.split(":", 4)[4].replace("\\:", ":").replace("\\\\", "\\"))
    return hidden


@contextmanager
def _written_by(unit: str) -> Iterator[list[str]]:
    """Read the end of what a unit's processes wrote since its start, during the block; then the list has it."""
    written: list[str] = []
    start_id = _start_id(unit)
    if not start_id:
        yield written
        return
    lines = (f"--lines={KEPT_LINES}", f"_SYSTEMD_INVOCATION_ID={start_id}")
    argv = ("journalctl", "--quiet", "--no-pager", "--output=cat", *lines)
    try:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        # An app is stopped all the same.
        yield written
        return
    with process:
        try:
            yield written
            with contextlib.suppress(subprocess.TimeoutExpired):
                text = process.communicate(timeout=KEPT_SECONDS)[0][-KEPT_BYTES:].decode(errors="replace").strip()
                written += [text] if text else []
        finally:
            process.kill()


def _start_id(unit: str) -> str:
    """Return the id of a unit's latest start: systemd links it for journald, which is quicker than asking systemd."""
    try:
        return str(Path(f"/run/systemd/units/invocation:{unit}").readlink())
    except OSError:
        return show(unit, "InvocationID").get("InvocationID", "")


def kill(unit: str) -> None:
    """Kill a unit and ignore the result."""
    output(("systemctl", "kill", "--signal=KILL", unit))
    output(("systemctl", "stop", unit))


def await_answer(unit: str, port: int, path: str, seconds: float) -> Readiness:
    """Wait until an app answers, then until its CPU use is low. Raises UnitError for a wrong user or a shared port."""
    deadline = time.monotonic() + seconds
    next_look = 0.0
    while True:
        reply = fetch(Fetch("127.0.0.1", port, path, seconds))
        if reply.status:
            break
        if time.monotonic() > next_look:
            if show(unit, "ActiveState").get("ActiveState") not in ("active", "activating"):
                return Readiness(False, f"it ended by itself ({_ending(unit)}){shortage()}")
            next_look = time.monotonic() + 0.2
        if time.monotonic() > deadline:
            elsewhere = listens_elsewhere(_processes(unit).pids(), port)
            reason = f"it runs but did not answer on port {port} within {seconds:.0f} s: {reply.error}{elsewhere}"
            return Readiness(False, reason)
        time.sleep(0.01)
    processes = _processes(unit)
    _settle(processes)
    _check_user(unit, processes.pids())
    _check_alone(processes, port)
    return Readiness(True)


def _check_alone(processes: UnitProcesses, port: int) -> None:
    """Check that nobody else listens on an app's port. Raises UnitError."""
    other = stranger(processes.pids, port)
    if other:
        raise UnitError(
            f"process {other.pid} listens on port {port} too and takes a part of the app's requests (SO_REUSEPORT): "
            f"{other.command}; stop it"
        )


def _processes(unit: str) -> UnitProcesses:
    return UnitProcesses(show(unit, "ControlGroup").get("ControlGroup", ""))


def _ending(unit: str) -> str:
    """Return how a unit's main process ended: `exit status 1`, `signal 9`, or `oom-kill, signal 9`."""
    state = show(unit, "Result", "ExecMainCode", "ExecMainStatus")
    code = state.get("ExecMainCode")
    if code == "0":
        # Our units take SIGKILL for a success, and of one that ended with success systemd soon knows no more than that.
        return "exit status 0, or signal 9"
    # As waitid() says it: 1 is an exit, 2 and 3 are signals, without and with a core dump.
    what = "signal" if code in ("2", "3") else "exit status"
    ending = f"{what} {state.get('ExecMainStatus', 'unknown')}"
    result = state.get("Result", "unknown")
    return ending if result in ("exit-code", "signal", "success") else f"{result}, {ending}"


def _settle(processes: UnitProcesses) -> None:
    """Wait while workers still start: the first of them answers long before the last is ready."""
    deadline = time.monotonic() + SETTLE_SECONDS
    used, at = processes.cpu_seconds(), time.monotonic()
    while at < deadline:
        time.sleep(SETTLE_STEP)
        used_now, now = processes.cpu_seconds(), time.monotonic()
        if used_now - used < SETTLED_CPU * (now - at):
            return
        used, at = used_now, now


def journal(unit: str, lines: int) -> Journal:
    """Read the end of what a unit and systemd wrote about its latest start."""
    start_id = _start_id(unit)
    if not start_id:
        return Journal("")
    output(("journalctl", "--sync"))
    matches = (f"_SYSTEMD_INVOCATION_ID={start_id}", "+", f"INVOCATION_ID={start_id}")
    text = output(("journalctl", "--quiet", "--no-pager", "--output=cat", f"--lines={lines}", *matches))
    return Journal(_redactor(unit)(text))


def what_runs(op: FindWhatRuns) -> Ran:
    """Return the versions of what a running app is made of, and its descriptor limit. Raises UnitError for a shared port."""
    state = show(op.unit, "MainPID", "ControlGroup")
    main = int(state.get("MainPID") or 0)
    limit = re.search(r"^Max open files\s+(\d+)", read(f"/proc/{main}/limits"), re.MULTILINE)
    if not limit:
        return Ran(False, {}, 0, f"{_ending(op.unit)}{shortage()}")
    processes = UnitProcesses(state.get("ControlGroup", ""))
    _check_alone(processes, op.port)
    installed = installed_distributions(APPS / op.app / "bin")
    return Ran(True, versions(op.probes, main, processes.pids(), installed, op.distributions), int(limit[1]))
