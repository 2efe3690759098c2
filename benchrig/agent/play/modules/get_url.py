"""ansible.builtin.get_url: a file from the web, checked by its hash before it is put in its place."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..replacing import private, replacing
from . import files
from .base import Context, ModuleError, Result, expand
from .contract import Module, runs

_PATIENCE_SECONDS = 60.0

_SLOWEST = 1000
"""Bytes a second: a server that is slower than that, after a minute, is as good as dead."""


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    url: str
    dest: str
    checksum: str = ""
    """`sha256:` and the hash, or the address of a file that names it."""
    owner: str | None = None
    group: str | None = None
    mode: str | None = None
    timeout: int = 10
    """Seconds to wait for the server, each time."""
    force: bool = False
    """Fetch it also when the file is there and no checksum says whether it is the right one."""
    headers: dict[str, str] = field(default_factory=dict)


def check(args: Args) -> Iterator[str]:
    """Yield what is wrong with the arguments together."""
    if (
        args.checksum
        and "{{" not in args.checksum
        and not re.match(r"(sha1|sha224|sha256|sha384|sha512|md5):\S", args.checksum)
    ):
        yield "write the checksum as 'sha256:…'"


def run(args: Args, context: Context) -> Result:
    """Download the file unless it is there."""
    dest = Path(expand(args.dest))
    if args.dest.endswith("/") or dest.is_dir():
        dest /= _name(args.url)
    wanted = files.attributes(context, args.owner, args.group, args.mode)
    algorithm, expected = _expected(args, context)
    found = files.status(dest)
    if found is not None and (_digest(dest, algorithm) == expected if expected else not args.force):
        return _kept(context, dest, wanted, found)
    if not dest.parent.is_dir():
        context.missing(f"path {dest.parent}", f"the folder {dest.parent} does not exist")
    message = f"downloaded {args.url}"
    if context.check:
        return Result(changed=True, message=message, values={"dest": str(dest)}, makes=(f"path {dest}",))
    changed = _fetch(args, context, dest, wanted, algorithm, expected)
    return Result(changed=changed, message=message if changed else "", values={**files.values(dest), "url": args.url})


def _kept(context: Context, dest: Path, wanted: files.Attributes, found: os.stat_result) -> Result:
    changes = wanted.differences(found)
    if changes and not context.check:
        context.changing()
        wanted.apply(dest)
    return Result(changed=bool(changes), message=", ".join(changes), values=files.values(dest))


def _expected(args: Args, context: Context) -> tuple[str, str]:
    """Return the hash algorithm and the hash; an address of a list of hashes is looked up in it by file name."""
    algorithm, _, expected = args.checksum.partition(":")
    if not expected.startswith(("http://", "https://", "ftp://")):
        return algorithm or "sha256", expected.lower()
    name = _name(args.url)
    text = b"".join(_download(Args(expected, "", timeout=args.timeout), context)).decode(errors="replace")
    for line in text.split("\n"):
        parts = line.split()
        if parts and (len(parts) == 1 or parts[-1].lstrip("*./") == name):
            return algorithm, parts[0].lower()
    raise ModuleError(f"{expected} has no hash for {name}")


def _name(url: str) -> str:
    """Return the file name that an address ends with."""
    from urllib.parse import urlsplit

    return Path(urlsplit(url).path).name


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _fetch(args: Args, context: Context, dest: Path, wanted: files.Attributes, algorithm: str, expected: str) -> bool:
    """Download beside the place, check, and rename; return whether the file is another one now."""
    with replacing(dest) as temporary:
        with private(temporary) as file:
            for part in _download(args, context):
                file.write(part)
        got = _digest(temporary, algorithm)
        if expected and got != expected:
            raise ModuleError(f"{args.url}: its {algorithm} is {got}, not {expected}; the download was discarded")
        same = dest.exists() and _digest(dest, algorithm) == got
        files.kept(wanted, files.status(dest)).apply(temporary)
        if not same:
            context.changing()
    return not same


def _download(args: Args, context: Context) -> Iterator[bytes]:
    # Imported late: with its HTTP and TLS it costs more than many a task.
    import http.client
    import urllib.error
    import urllib.request

    context.slow()
    started = time.monotonic()
    request = urllib.request.Request(args.url, headers={"User-Agent": "benchrig", **args.headers})
    try:
        with urllib.request.urlopen(request, timeout=args.timeout) as response:
            length, got = response.headers.get("Content-Length"), 0
            while part := response.read1(1 << 16):
                got += len(part)
                yield part
                seconds = time.monotonic() - started
                if seconds > _PATIENCE_SECONDS and got < seconds * _SLOWEST:
                    raise ModuleError(f"{args.url}: cannot be fetched: only {got} bytes came in {seconds:.0f} s")
        if length is not None and got < int(length):
            raise ModuleError(f"{args.url}: the connection ended after {got} of {length} bytes")
    except urllib.error.HTTPError as error:
        raise ModuleError(f"{args.url}: the server answered {error.code} {error.reason}", status_code=error.code) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", None) or error
        reason = getattr(cause, "strerror", None) or cause
        raise ModuleError(f"{args.url}: cannot be fetched: {reason}") from None


MODULE = Module(Args, runs(run), check=check)
