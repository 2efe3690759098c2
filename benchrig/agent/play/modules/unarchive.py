"""ansible.builtin.unarchive: a tar archive unpacked; nothing in it may land outside the folder."""

from __future__ import annotations

import copy
import re
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from . import files
from .base import Context, ModuleError, Result, expand
from .contract import Module, reads_and_runs

if TYPE_CHECKING:
    import tarfile


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    src: str
    dest: str
    remote_src: bool = False
    """`src` is a file of the host."""
    creates: str | None = None
    """It is not unpacked when this file is there."""
    owner: str | None = None
    group: str | None = None
    extra_opts: tuple[str, ...] = ()
    """Only `--strip-components=N`."""


_STRIP = re.compile(r"--strip-components=(\d+)")


def check(args: Args) -> Iterator[str]:
    """Yield what is wrong with the arguments together."""
    for option in args.extra_opts:
        if not _STRIP.fullmatch(option):
            yield f"extra_opts: '{option}' is not supported; allowed: --strip-components=N"


def read(args: Args, context: Context) -> BinaryIO | None:
    """Return the archive, open, unless it is to be read on the host with the task's own rights."""
    if args.remote_src:
        return None
    try:
        return context.bundle.find(args.src).open("rb")
    except LookupError as error:
        raise ModuleError(str(error)) from None


def run(args: Args, context: Context, source: BinaryIO | None) -> Result:
    """Unpack the archive if what is in it is not there already."""
    import lzma
    import tarfile
    import zlib

    if args.creates is not None and Path(expand(args.creates)).exists():
        return Result(values={"dest": args.dest, "src": args.src})
    dest = Path(expand(args.dest))
    if not dest.is_dir():
        context.missing(f"path {dest}", f"the folder {dest} does not exist")
    wanted = files.attributes(context, args.owner, args.group, None)
    context.slow()
    try:
        with source or _remote(args, context) as file, tarfile.open(fileobj=file) as archive:
            members = list(_members(archive, _strip(args)))
            _refuse_truncated(archive)
            _refuse_escapes(members)
            changed = [member for member in members if _differs(member, dest, wanted)]
            if changed and not context.check:
                context.changing()
                _extract(archive, members, dest, wanted)
    except (tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
        raise ModuleError(f"{args.src}: cannot be unpacked: {str(error).partition(':')[0]}") from None
    message = f"unpacked {len(members)} files" if changed else ""
    return Result(bool(changed), message, values={"dest": str(dest), "src": args.src}, opaque=bool(changed))


def _remote(args: Args, context: Context) -> BinaryIO:
    source = Path(expand(args.src))
    if not source.is_file():
        context.missing(f"path {source}", f"there is no file {source}")
    return source.open("rb")


def _strip(args: Args) -> int:
    return max((int(found[1]) for option in args.extra_opts if (found := _STRIP.fullmatch(option))), default=0)


def _members(archive: tarfile.TarFile, strip: int) -> Iterator[tarfile.TarInfo]:
    """Yield the members under the names they get; those above the stripped folders fall away."""
    for member in archive:
        named = copy.copy(member)
        named.name = _stripped(member.name, strip)
        if member.islnk():
            named.linkname = _stripped(member.linkname, strip)
        if named.name:
            yield named


def _stripped(name: str, strip: int) -> str:
    return "/".join([part for part in name.split("/") if part not in ("", ".")][strip:])


def _differs(member: tarfile.TarInfo, dest: Path, wanted: files.Attributes) -> bool:
    """Return whether a member is not yet there as the archive has it: kind, size, time, owner."""
    found = files.status(dest / member.name, follow=False)
    if found is None or replace(wanted, mode=None).differences(found):
        return True
    if member.isdir():
        return not stat.S_ISDIR(found.st_mode)
    if member.issym():
        return not stat.S_ISLNK(found.st_mode) or str((dest / member.name).readlink()) != member.linkname
    if member.isreg():
        return not stat.S_ISREG(found.st_mode) or found.st_size != member.size or int(found.st_mtime) != int(member.mtime)
    return False


def _refuse_escapes(members: Sequence[tarfile.TarInfo]) -> None:
    """Raise ModuleError for a member that would land, or point, outside the folder; Debian 12's tarfile does not check."""
    links = {member.name for member in members if member.issym()}
    for member in members:
        places = [member.name]
        if member.issym():
            places.append(str(Path(member.name).parent / member.linkname))
        elif member.islnk():
            places.append(member.linkname)
        elif not (member.isreg() or member.isdir()):
            raise ModuleError(f"'{member.name}' in the archive is not a file, folder or link")
        for place in places:
            # Only a link may point to a link; anything else would be written through it.
            if not _stays_inside(place if member.issym() else f"{place}/", links):
                raise ModuleError(f"'{member.name}' in the archive points outside the folder or through a link")


def _stays_inside(place: str, links: Collection[str]) -> bool:
    """Return whether a path stays in the folder without going through one of the archive's links."""
    inside: list[str] = []
    for part in place.split("/") if not place.startswith("/") else [".."]:
        if "/".join(inside) in links or (part == ".." and not inside):
            return False
        if part == "..":
            inside.pop()
        elif part not in ("", "."):
            inside.append(part)
    return True


def _refuse_truncated(archive: tarfile.TarFile) -> None:
    """Raise TarError unless the archive has its end, for which tarfile does not ask; a compressed one is read to the end."""
    import tarfile

    file = archive.fileobj
    assert file is not None
    file.seek(archive.offset)
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("the archive is truncated or damaged")
    while file.read(1 << 16):
        pass


def _extract(archive: tarfile.TarFile, members: list[tarfile.TarInfo], dest: Path, wanted: files.Attributes) -> None:
    archive.extractall(dest, members)
    for member in members:
        wanted.apply(dest / member.name)


MODULE = Module(Args, reads_and_runs(read, run), check=check)
