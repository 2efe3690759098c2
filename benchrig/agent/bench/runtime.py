"""What a running app is made of: its interpreter, its packages, its event loop and HTTP parser, with their versions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from .facts import output, read


def program_version(pid: int) -> dict[str, str]:
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


def installed_distributions(programs: Path) -> dict[str, str]:
    """Return the versions of the Python packages installed beside an environment's folder of programs."""
    folders = programs.resolve().parent.glob("lib/python3*/site-packages/*.dist-info")
    pairs = (folder.name.removesuffix(".dist-info").rpartition("-") for folder in folders)
    return {name.replace("_", "-").lower(): version for name, _, version in pairs}


def engines(pids: Iterable[int], installed: dict[str, str]) -> dict[str, str]:
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
