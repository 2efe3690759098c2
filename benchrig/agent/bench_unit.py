"""An app as a systemd unit: started afresh, waited for, looked at while it runs, stopped, its port seen free."""

from __future__ import annotations

import contextlib
import errno
import http.client
import re
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from .bench_facts import APPS, output, read
from .bench_protocol import Done, Fetch, Journal, Port, Ran, Readiness, Reply
from .sampler import UnitProcesses

OURS = "benchrig-*.service"
RESERVED_PORTS = "/proc/sys/net/ipv4/ip_local_reserved_ports"
STOP_SECONDS = 10.0
BODY_BYTES = 4 << 20

SETTLE_SECONDS = 10.0
SETTLE_STEP = 0.05
SETTLED_CPU = 0.2
"""An app has finished starting when it uses less than this share of one core while nobody asks it anything."""


class UnitError(Exception):
    """systemd refuses what is asked."""


def _systemctl(*words: str) -> None:
    done = subprocess.run(("systemctl", *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise UnitError(done.stdout.decode(errors="replace").strip().partition("\n")[0])


def show(unit: str, *names: str) -> dict[str, str]:
    """Return properties of a unit."""
    text = output(("systemctl", "show", f"--property={','.join(names)}", unit))
    return dict(line.partition("=")[::2] for line in text.splitlines())


def free_port(port: int) -> Port:
    """Stop every app of ours, then look at the port."""
    _systemctl("stop", OURS)
    # A unit that failed lately is otherwise refused its start, and its failure is of no more interest.
    _systemctl("reset-failed", OURS)
    _reserve(port)
    return _await_free(port)


def _reserve(port: int) -> None:
    """Keep the kernel from giving the port to some client as its own, as it does with any port of its local range."""
    reserved = read(RESERVED_PORTS)
    ranges = [part.partition("-") for part in reserved.split(",") if part]
    if any(int(first) <= port <= int(last or first) for first, _, last in ranges):
        return
    # Some containers do not let it be set; a port that is taken is told in any case.
    with contextlib.suppress(OSError):
        Path(RESERVED_PORTS).write_text(f"{reserved},{port}".lstrip(","), encoding="ascii")


def start(unit: str) -> Done:
    """Start a unit. Raises UnitError when systemd does not know it or cannot start it."""
    _systemctl("start", unit)
    return Done()


def stop(unit: str, port: int) -> Port:
    """Stop a unit and see its port free."""
    _systemctl("stop", unit)
    return _await_free(port)


def kill(unit: str) -> None:
    """Stop a unit without asking what became of it."""
    output(("systemctl", "kill", "--signal=KILL", unit))
    output(("systemctl", "stop", unit))


def _await_free(port: int) -> Port:
    deadline = time.monotonic() + STOP_SECONDS
    while not _is_free(port):
        found = _holder(port)
        if time.monotonic() > deadline or (found.pid and "benchrig-" not in read(f"/proc/{found.pid}/cgroup")):
            return found
        time.sleep(0.01)
    return Port(True)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As a server does it: connections that are being closed do not hold the port, a listener does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def _holder(port: int) -> Port:
    """Return whose a taken port is: who listens on it, else who has a connection from it."""
    sockets = {name: listens for name, at, listens in _sockets() if at == port}
    found = Port(False)
    for process in Path("/proc").glob("[0-9]*"):
        for name in sockets.keys() & _open_files(process):
            command = read(process / "cmdline").replace("\0", " ").strip()
            found = Port(False, int(process.name), command, sockets[name])
            if found.listens:
                return found
    return found


def _open_files(process: Path) -> set[str]:
    """Return what a process's descriptors point to; what it closes meanwhile is left out."""
    found: set[str] = set()
    with contextlib.suppress(OSError):
        for link in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(link.readlink()))
    return found


def _sockets() -> Iterator[tuple[str, int, bool]]:
    """Yield the TCP sockets there are, as /proc names them: each with its own port, and whether it listens."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in read(table).splitlines()[1:]:
            words = line.split()
            yield f"socket:[{words[9]}]", int(words[1].rpartition(":")[2], 16), words[3] == "0A"


def _listens_elsewhere(pids: Iterable[int], port: int) -> str:
    """Return what to say of processes that listen on another port, or on none; empty when they listen on this one."""
    held = set().union(*(_open_files(Path(f"/proc/{pid}")) for pid in pids))
    ports = sorted({at for name, at, listens in _sockets() if listens and name in held})
    return "" if port in ports else f"; it listens on {', '.join(map(str, ports)) or 'no port'}"


def fetch(op: Fetch) -> Reply:
    """Make one HTTP request; an error is an answer too."""
    connection = http.client.HTTPConnection(op.host, op.port, timeout=op.seconds)
    try:
        connection.request(op.method, op.path, op.body.encode() or None, dict(op.headers))
        response = connection.getresponse()
        body = response.read(BODY_BYTES)
        return Reply(response.status, body.decode(errors="replace"), cut=bool(response.read(1)))
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Reply(error=getattr(error, "strerror", None) or str(error) or type(error).__name__)
    finally:
        connection.close()


def await_answer(unit: str, port: int, path: str, seconds: float) -> Readiness:
    """Wait until an app answers at all, then until it comes to rest."""
    deadline = time.monotonic() + seconds
    next_look = 0.0
    while True:
        reply = fetch(Fetch("127.0.0.1", port, path, seconds))
        if reply.status:
            break
        if time.monotonic() > next_look:
            if show(unit, "ActiveState").get("ActiveState") not in ("active", "activating"):
                return Readiness(False, f"it ended by itself ({_ending(unit)})")
            next_look = time.monotonic() + 0.2
        if time.monotonic() > deadline:
            elsewhere = _listens_elsewhere(_processes(unit).pids(), port)
            reason = f"it runs but did not answer on port {port} within {seconds:.0f} s: {reply.error}{elsewhere}"
            return Readiness(False, reason)
        time.sleep(0.01)
    _settle(_processes(unit))
    return Readiness(True)


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
    told = f"{what} {state.get('ExecMainStatus', 'unknown')}"
    result = state.get("Result", "unknown")
    return told if result in ("exit-code", "signal", "success") else f"{result}, {told}"


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
    start_id = show(unit, "InvocationID").get("InvocationID", "")
    if not start_id:
        return Journal("")
    output(("journalctl", "--sync"))
    wanted = (f"_SYSTEMD_INVOCATION_ID={start_id}", "+", f"INVOCATION_ID={start_id}")
    return Journal(output(("journalctl", "--quiet", "--no-pager", "--output=cat", f"--lines={lines}", *wanted)))


def what_runs(app: str, unit: str, distributions: tuple[str, ...]) -> Ran:
    """Look at a running app: the versions of what its processes are made of, and its descriptor limit."""
    state = show(unit, "MainPID", "ControlGroup")
    main = int(state.get("MainPID") or 0)
    limit = re.search(r"^Max open files\s+(\d+)", read(f"/proc/{main}/limits"), re.MULTILINE)
    if not limit:
        return Ran(False, {}, 0, _ending(unit))
    pids = UnitProcesses(state.get("ControlGroup", "")).pids()
    installed = _distributions(APPS / app / "bin")
    wanted = {name: installed[name.lower()] for name in distributions if name.lower() in installed}
    return Ran(True, _runtime(main) | wanted | _engines(pids, installed), int(limit[1]))


def _runtime(pid: int) -> dict[str, str]:
    """Return the version of the program that a process runs, as that program states it."""
    program = Path(f"/proc/{pid}/exe")
    name = program.readlink().name if program.exists() else ""
    if name.startswith("python"):
        return {"Python": output((str(program), "--version")).removeprefix("Python ")}
    if name.startswith(("nginx", "openresty")):
        banner = output((str(program), "-v"))
        match = re.search(r"version: (\S+)/(\S+)", banner)
        return {match[1]: match[2]} if match else {name: banner}
    stated = output(("go", "version", str(program)))
    match = re.search(r"\bgo(\d[\w.]*)$", stated)
    return {"Go": match[1]} if match else {}


def _distributions(programs: Path) -> dict[str, str]:
    """Return the versions of the Python packages installed beside an environment's folder of programs."""
    folders = programs.resolve().parent.glob("lib/python3*/site-packages/*.dist-info")
    pairs = (folder.name.removesuffix(".dist-info").rpartition("-") for folder in folders)
    return {name.replace("_", "-").lower(): version for name, _, version in pairs}


def _engines(pids: Iterable[int], installed: dict[str, str]) -> dict[str, str]:
    """Tell which event loop and which HTTP parser run, from the libraries that the processes have loaded."""
    loaded = "\n".join(read(f"/proc/{pid}/maps") for pid in pids)
    engines: dict[str, str] = {}
    if "/uvloop/" in loaded:
        engines["event loop"] = f"uvloop {installed.get('uvloop', '')}".strip()
    elif "/gevent/" in loaded:
        engines["event loop"] = f"gevent {installed.get('gevent', '')}".strip()
    elif "/greenlet/" in loaded and "eventlet" in installed:
        engines["event loop"] = f"eventlet {installed['eventlet']}"
    elif "/_asyncio." in loaded:
        engines["event loop"] = "asyncio"
    if "/ngx_http_lua_module." in loaded:
        packaged = output(("dpkg-query", "--show", "--showformat=${Version}", "libnginx-mod-http-lua"))
        engines["nginx Lua module"] = packaged.rpartition(":")[2].partition("-")[0]
    if "uvicorn" in installed:
        engines["HTTP parser"] = "httptools" if "/httptools/" in loaded else "h11"
    return engines
