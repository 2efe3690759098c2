"""ansible.builtin.apt: Debian packages installed, brought up to date or removed, all names in one call of apt-get.

The package lists are refreshed (`update_cache`) only when they are older than `cache_valid_time`, and, unlike Ansible, only
when something has to be installed, so that an unchanged host asks no mirror.
"""

from __future__ import annotations

import fnmatch
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from . import aptget
from .base import Context, ModuleError, Result
from .contract import Module, runs
from .dpkg import Packages

_STAMP = Path("/var/lib/apt/periodic/update-success-stamp")
_LISTS = Path("/var/lib/apt/lists")


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    name: tuple[str, ...] = ()
    """Packages, optionally with `=version`."""
    state: Literal["present", "latest", "absent"] = "present"
    update_cache: bool = False
    cache_valid_time: int = 0
    """Seconds for which the package lists count as fresh."""
    install_recommends: bool | None = None
    default_release: str | None = None
    purge: bool = False
    autoremove: bool = False


def check(args: Args) -> Iterator[str]:
    """Yield what is wrong with the arguments together."""
    if not args.name and not args.update_cache:
        yield "give 'name' or 'update_cache'"
    for name in args.name:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+(:[a-z0-9-]+)?(=\S+)?|.*{{.*", name):
            yield f"'{name}' is not a package name"


def run(args: Args, context: Context) -> Result:
    """Bring the packages into the requested state. What an earlier installation left half done is completed first."""
    if context.check or not aptget.is_interrupted():
        return _brought(args, context)
    said = aptget.complete(context)
    result = _brought(args, context)
    return replace(result, changed=True, message=f"{said}, {result.message}" if result.message else said)


def _brought(args: Args, context: Context) -> Result:
    if not args.name:
        return _refresh(args, context)
    packages = context.cache(Packages)
    if args.state == "absent":
        return _remove(args, context, packages)
    missing = [name for name in args.name if not _installed(packages, name)]
    if not missing and args.state == "present":
        return Result(values={"cache_updated": False})
    refreshed = _refresh(args, context) if _asked_to_refresh(args) else Result()
    return _install(args, context, missing, refreshed)


def _installed(packages: Packages, wanted: str) -> bool:
    name, _, pattern = wanted.partition("=")
    version = packages.version(name)
    if version is None:
        return not pattern and packages.provided(name)
    return not pattern or fnmatch.fnmatchcase(version, pattern)


def _asked_to_refresh(args: Args) -> bool:
    return args.update_cache or args.cache_valid_time > 0


def _refresh(args: Args, context: Context) -> Result:
    """Refresh the package lists if they are too old."""
    if _refreshed_at() + args.cache_valid_time >= time.time():
        return Result(values={"cache_updated": False})
    if not context.check:
        aptget.change(context, "update", "--error-on=any", failure="the package lists could not be refreshed")
        # Where no mirror had anything new, apt-get leaves the folder's time as it was.
        os.utime(_LISTS)
    values = {"cache_updated": True}
    return Result(changed=True, message="package lists refreshed", values=values, makes=("package lists",))


def _refreshed_at() -> float:
    for path in (_STAMP, _LISTS):
        if path.exists():
            return path.stat().st_mtime
    return 0.0


def _install(args: Args, context: Context, missing: list[str], refreshed: Result) -> Result:
    names = args.name if args.state == "latest" else tuple(missing)
    options = ["-t", args.default_release] if args.default_release else []
    if args.install_recommends is not None:
        options += ["-o", f"APT::Install-Recommends={'yes' if args.install_recommends else 'no'}"]
    if args.autoremove:
        options.append("--auto-remove")
    if context.check:
        return _would_install(context, names, missing, options, refreshed)
    done = aptget.change(context, "install", *options, "--", *names, failure="the packages could not be installed")
    changed = _changes(done.stdout)
    values = {"cache_updated": refreshed.changed, "stdout": done.stdout, "stderr": done.stderr}
    return Result(changed=bool(changed), message=_said("installed", changed), values=values)


def _would_install(
    context: Context, names: tuple[str, ...], missing: list[str], options: list[str], refreshed: Result
) -> Result:
    """Ask apt-get what it would do; with old package lists it may not know the packages yet."""
    done = aptget.simulate(context, "install", "--simulate", *options, "--", *names)
    if done.rc:
        maker = "the package lists are refreshed" if refreshed.changed else context.promises.maker("package lists")
        if not maker:
            raise ModuleError(f"the packages cannot be installed: {aptget.reason(done)}", stderr=done.stderr, rc=done.rc)
        said = f"would install {', '.join(missing)} (versions unknown until {maker})"
        return Result(changed=True, message=said, values={"cache_updated": False}, opaque=True)
    changed = re.findall(r"^Inst (\S+)", done.stdout, re.MULTILINE)
    return Result(changed=bool(changed), message=_said("would install", changed), opaque=bool(changed))


def _remove(args: Args, context: Context, packages: Packages) -> Result:
    there = [name for name in args.name if packages.version(name) is not None]
    if not there:
        return Result()
    if not context.check:
        options = [*(["--purge"] if args.purge else []), *(["--auto-remove"] if args.autoremove else [])]
        aptget.change(context, "remove", *options, "--", *there, failure="the packages could not be removed")
    return Result(changed=True, message=_said("would remove" if context.check else "removed", there))


def _changes(stdout: str) -> list[str]:
    """Return the packages that apt-get says it set up."""
    return re.findall(r"^Setting up (\S+?)(?::\w+)? \(", stdout, re.MULTILINE)


def _said(what: str, names: list[str]) -> str:
    if not names:
        return ""
    return f"{what} {', '.join(names)}" if len(names) <= 5 else f"{what} {', '.join(names[:4])} and {len(names) - 4} more"


MODULE = Module(Args, runs(run), check=check, aliases={"pkg": "name", "package": "name"})
