"""The lab's root image: a Debian 12 that mmdebstrap makes once; every machine's file system is an overlay over it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from benchrig.files import write
from benchrig.machines.command import run
from benchrig.machines.controller import settings as controller
from benchrig.machines.controller.apt import SUITE
from benchrig.machines.controller.settings import Settings
from benchrig.machines.debian import APT_OPTIONS, MASKED, MIRRORS_HINT, PACKAGES
from benchrig.machines.folder import cache, write_below
from benchrig.machines.once import Product, make_once
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
"""Raise this when a change of this file makes another image from the same packages and files."""

BUILD_SECONDS = 900.0


def find(name: str) -> Path | None:
    """Return the folder of an image by its name, or None when it is not in the cache."""
    path = cache() / "images" / name
    return path if path.is_dir() else None


def make(settings: Settings) -> Path:
    """Return the folder of the root image. Makes it if it is not in the cache. Raises MachineError."""
    image = Product("lab", "Debian 12 root image", "20 to 30 s", lambda new, lock: _build(new, settings, lock))
    return make_once(cache() / "images" / _name(), image)


def _name() -> str:
    recipe = json.dumps([PACKAGES, SUITE, MASKED, FILES, RECIPE])
    return f"{SUITE}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def _build(root: Path, settings: Settings, lock: int) -> None:
    """Make the root image at `root` with mmdebstrap."""
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
    controller.take_authorities(root, settings.authorities)


def _finish(root: Path) -> None:
    """Remove what must differ between machines or came from the controller, and write our own files."""
    for key in root.glob("etc/ssh/ssh_host_*"):
        key.unlink()
    (root / "etc/apt/apt.conf.d/99mmdebstrap").unlink(missing_ok=True)
    for unit in MASKED:
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")
    for name, text in FILES.items():
        write_below(root, name, text.encode())
