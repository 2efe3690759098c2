"""ansible.builtin.systemd_service: units of systemd started, stopped or enabled; one call reads the states of all."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ...text import last_line
from .base import Completed, Context, ModuleError, Result
from .contract import Module, runs

_PROPERTIES = ("Id", "LoadState", "LoadError", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload", "MainPID")
_LOCAL_UNITS = Path("/etc/systemd/system")


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    name: str | None = None
    state: Literal["started", "stopped", "restarted", "reloaded"] | None = None
    enabled: bool | None = None
    masked: bool | None = None
    daemon_reload: bool = False
    """Make systemd read its unit files anew first; with a name, only if systemd says that the unit needs it."""
    daemon_reexec: bool = False
    no_block: bool = False


def check(args: Args) -> Iterator[str]:
    """Yield what is wrong with the arguments together."""
    if args.name is None and (args.state is not None or args.enabled is not None or args.masked is not None):
        yield "'name' is missing"
    if args.name is None and not args.daemon_reload and not args.daemon_reexec:
        yield "give 'name', 'daemon_reload' or 'daemon_reexec'"


class Units:
    """Properties of systemd units; those of the host's own units are read together with the first one."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, str]] = {}

    def get(self, context: Context, name: str) -> Mapping[str, str]:
        """Return a unit's properties."""
        if name not in self._known:
            local = () if self._known else _local_units()
            self._ask(context, list(dict.fromkeys([name, *local])))
        return self._known[name]

    def _ask(self, context: Context, names: Sequence[str]) -> None:
        # One block a unit, in the order asked for, an empty line between them.
        argv = ["systemctl", "show", f"--property={','.join(_PROPERTIES)}", "--", *names]
        done = context.must(argv, "systemd does not answer")
        for name, block in zip(names, done.stdout.strip("\n").split("\n\n"), strict=True):
            self._known[name] = dict(line.split("=", 1) for line in block.split("\n") if "=" in line)


def _local_units() -> list[str]:
    try:
        files = [path for path in _LOCAL_UNITS.iterdir() if path.suffix in (".service", ".socket", ".timer")]
    except OSError:
        return []
    return sorted(path.name for path in files if "@" not in path.name and not path.is_symlink())


def run(args: Args, context: Context) -> Result:
    """Bring the unit into the requested state."""
    units = context.cache(Units)
    name = _full(args.name)
    _reload(args, context, units, name)
    if name is None:
        return Result()
    # A reload has emptied the cache.
    status = context.cache(Units).get(context, name)
    changes = [*_masking(args, status), *_enabling(args, status), *_running(args, status)]
    if not changes and args.state is None and args.enabled is None:
        return Result(values={"name": args.name, "status": dict(status)})
    if status["LoadState"] == "not-found" and not args.masked:
        context.missing(f"path {_LOCAL_UNITS / name}", f"systemd knows no unit '{name}'")
    # Of a masked unit systemd says no more than that it is masked.
    if status["LoadState"] != "masked" and (error := status.get("LoadError", "").strip('" ')):
        raise ModuleError(f"systemd cannot load '{name}': {error}")
    if not context.check:
        for verb in changes:
            _do(args, context, verb, name)
    return _result(args, changes, status)


def _full(name: str | None) -> str | None:
    return name if name is None or "." in name else f"{name}.service"


def _reload(args: Args, context: Context, units: Units, name: str | None) -> None:
    if context.check:
        return
    verbs = []
    if args.daemon_reload and (name is None or units.get(context, name)["NeedDaemonReload"] == "yes"):
        verbs.append("daemon-reload")
    if args.daemon_reexec:
        verbs.append("daemon-reexec")
    for verb in verbs:
        context.must(["systemctl", verb], f"{verb} failed")
        context.forget()


def _masking(args: Args, status: Mapping[str, str]) -> list[str]:
    masked = status["LoadState"] == "masked"
    if args.masked is None or args.masked == masked:
        return []
    return ["mask" if args.masked else "unmask"]


def _enabling(args: Args, status: Mapping[str, str]) -> list[str]:
    # `static` and `generated` units start by other means; systemctl is-enabled says yes to them, and so does Ansible.
    enabled = status["UnitFileState"] in ("enabled", "static", "generated")
    if args.enabled is None or args.enabled == enabled:
        return []
    return ["enable" if args.enabled else "disable"]


def _running(args: Args, status: Mapping[str, str]) -> list[str]:
    running = status["ActiveState"] in ("active", "activating", "reloading")
    if args.state == "stopped":
        return ["stop"] if running or status["ActiveState"] == "deactivating" else []
    if args.state is None or (args.state == "started" and running):
        return []
    return [args.state.removesuffix("ed") if running else "start"]


def _do(args: Args, context: Context, verb: str, name: str) -> None:
    argv = ["systemctl", *(["--no-block"] if args.no_block else []), verb, "--", name]
    context.changing()
    started = time.time()
    done = context.run(argv)
    context.forget()
    if done.rc:
        raise ModuleError(f"{name}: cannot {verb}: {_reason(context, name, done, started)}")


def _reason(context: Context, name: str, done: Completed, started: float) -> str:
    """Return why systemctl failed, and the last line that the unit wrote since `started`; if none, systemd's about it."""
    # systemctl speaks in sentences; the last one only says where to read more.
    said = done.stderr.strip().partition("\n")[0]
    reason = re.sub(r"^Job for .* failed because |\.? See .* for details|\.$", "", said) or f"exit code {done.rc}"
    # Without it, what the unit wrote last may not be in the journal yet.
    context.run(["journalctl", "--sync"])
    journal = ["journalctl", "--no-pager", "--quiet", "--output=cat", "--lines=20", f"--since=@{started:.6f}"]
    if written := last_line(context.run([*journal, f"_SYSTEMD_UNIT={name}"]).stdout):
        return f"{reason}; its last line: {written}"
    about = context.run([*journal, f"UNIT={name}"]).stdout
    found = re.search("Failed at step .*", about) or re.search("code=.*", about)
    return f"{reason}: {found[0]}" if found else reason


def _result(args: Args, changes: list[str], status: Mapping[str, str]) -> Result:
    values: dict[str, Any] = {"name": args.name, "status": dict(status)}
    if args.state is not None:
        values["state"] = "stopped" if args.state == "stopped" else "started"
    if args.enabled is not None:
        values["enabled"] = args.enabled
    return Result(changed=bool(changes), message=", ".join(changes), values=values)


MODULE = Module(
    Args,
    runs(run),
    check=check,
    aliases={"service": "name", "unit": "name", "daemon-reload": "daemon_reload", "daemon-reexec": "daemon_reexec"},
)
