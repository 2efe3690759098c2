"""The root image: a Debian 12 made by mmdebstrap once, kept in the cache, and shared unchanged below every machine."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from benchrig import console
from benchrig.files import write
from benchrig.machines.command import run
from benchrig.machines.controller import settings as outer
from benchrig.machines.controller.apt import SUITE
from benchrig.machines.controller.settings import Outer
from benchrig.machines.debian import APT_OPTIONS, MASKED, MIRRORS_HINT, PACKAGES
from benchrig.machines.folder import cache, held, remove, write_below
from benchrig.shell import quote

FILES = {
    "etc/apt/apt.conf.d/70lab": APT_OPTIONS,
    # A machine of the lab is soon made again, so nothing is gained by waiting for the disk after each file.
    "etc/dpkg/dpkg.cfg.d/lab": "force-unsafe-io\n",
    "etc/default/locale": "LANG=C.UTF-8\n",
    "etc/ssh/sshd_config.d/lab.conf": (
        "HostKey /etc/ssh/ssh_host_ed25519_key\n"
        "PermitRootLogin prohibit-password\n"
        "PasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\n"
        "UseDNS no\n"
    ),
}

RECIPE = 1
"""To be raised when this file makes another image of the same packages and files."""

BUILD_SECONDS = 900.0


def find(name: str) -> Path | None:
    """Return the folder of an image that was made, if it is still in the cache."""
    path = cache() / "images" / name
    return path if path.is_dir() else None


def make(settings: Outer) -> Path:
    """Return the folder of the root image, made first if it is not in the cache. Raises MachineError.

    When another process is making it, this one waits.
    """
    folder = cache() / "images"
    path = folder / _name()
    if path.is_dir():
        return path
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with held(folder, "another process makes the root image") as lock:
        for leftover in folder.glob(".new*"):
            remove(leftover)
        if not path.is_dir():
            console.line("lab: making the Debian 12 root image (once, 20 to 30 s)")
            started = time.monotonic()
            new = folder / ".new"
            try:
                _build(new, settings, lock)
                new.rename(path)
            finally:
                for leftover in folder.glob(".new*"):
                    remove(leftover)
            console.line(f"lab: root image made in {time.monotonic() - started:.0f} s")
            _remove_unused(path)
    return path


def _remove_unused(newest: Path) -> None:
    """Remove the images of older recipes that no machine was made from."""
    used = {file.read_text(encoding="utf-8").strip() for file in cache().glob("labs/*/machines/*/image")}
    for path in newest.parent.iterdir():
        if path != newest and path.name not in used:
            remove(path)


def _name() -> str:
    recipe = json.dumps([PACKAGES, SUITE, MASKED, FILES, RECIPE])
    return f"{SUITE}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def _build(root: Path, settings: Outer, lock: int) -> None:
    """Run mmdebstrap, which holds our lock as well: should we be killed, nobody disturbs it before it has ended."""
    options = root.with_name(".new.conf")
    write(options, (APT_OPTIONS + settings.apt.options_text(settings.proxies)).encode(), 0o600)
    logins = root.with_name(".new.auth")
    write(logins, settings.apt.logins.encode(), 0o600)
    # In namespaces of its own, so that nothing it mounts or starts is left behind, however it ends.
    argv = [
        *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
        "mmdebstrap",
        "--variant=apt",
        f"--include={','.join(PACKAGES)}",
        "--skip=cleanup/apt/lists",
        f"--aptopt={options}",
        f'--setup-hook={quote(["install", "-D", "-m", "600", logins])} "$1/etc/apt/auth.conf.d/outer.conf"',
        SUITE,
        str(root),
        *(["-"] if settings.apt.sources else []),
    ]
    sources = "".join(source.line() for source in settings.apt.sources)
    run(
        argv,
        "the root image cannot be made",
        stdin=sources,
        timeout=BUILD_SECONDS,
        pass_fds=(lock,),
        hint=MIRRORS_HINT,
    )
    _finish(root)
    outer.take_authorities(root, settings.authorities)


def _finish(root: Path) -> None:
    """Remove what must differ between machines or belongs to the outer one, and put our own files in place."""
    for key in root.glob("etc/ssh/ssh_host_*"):
        key.unlink()
    (root / "etc/apt/apt.conf.d/99mmdebstrap").unlink(missing_ok=True)
    for unit in MASKED:
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")
    for name, text in FILES.items():
        write_below(root, name, text.encode())
