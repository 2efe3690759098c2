"""Writing files safely: owner, group and mode are compared and set; content is written to a temporary file, validated, and
renamed, so that a bad or half-written file is never in place."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..replacing import private, replacing
from .base import Context, ModuleError, Result


@dataclass(frozen=True)
class Attributes:
    """Owner, group and mode of a file as numbers; None leaves one unchanged."""

    uid: int | None
    gid: int | None
    mode: int | None

    def differences(self, found: os.stat_result) -> list[str]:
        """Return the changes that an existing file needs, as text."""
        changes = []
        if self.uid is not None and found.st_uid != self.uid:
            changes.append(f"owner {user_name(found.st_uid)} -> {user_name(self.uid)}")
        if self.gid is not None and found.st_gid != self.gid:
            changes.append(f"group {group_name(found.st_gid)} -> {group_name(self.gid)}")
        mode = stat.S_IMODE(found.st_mode)
        if self.mode is not None and not stat.S_ISLNK(found.st_mode) and mode != self.mode:
            changes.append(f"mode {mode:04o} -> {self.mode:04o}")
        return changes

    def apply(self, path: Path) -> None:
        """Set owner, group and mode of an existing file; of a link, the owner of the link itself."""
        # Open all the time, so that nobody can put a link in its place between owner and mode.
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW)
        try:
            held = Path(f"/proc/self/fd/{descriptor}")
            if self.uid is not None or self.gid is not None:
                os.chown(held, -1 if self.uid is None else self.uid, -1 if self.gid is None else self.gid)
            if self.mode is not None and not stat.S_ISLNK(os.fstat(descriptor).st_mode):
                held.chmod(self.mode)
        finally:
            os.close(descriptor)


def attributes(context: Context, owner: str | None, group: str | None, mode: str | None) -> Attributes:
    """Return attributes by number. Raises ModuleError (or NotYetKnownError) when there is no such user or group."""
    uid = _number(context, "user", owner, lambda name: pwd.getpwnam(name).pw_uid)
    gid = _number(context, "group", group, lambda name: grp.getgrnam(name).gr_gid)
    return Attributes(uid, gid, None if mode is None else int(mode, 8))


def _number(context: Context, kind: str, name: str | None, find: Callable[[str], int]) -> int | None:
    if name is None or name.isdigit():
        return None if name is None else int(name)
    try:
        return find(name)
    except KeyError:
        context.missing(f"{kind} {name}", f"there is no {kind} '{name}'")


def user_name(uid: int) -> str:
    """Return a user's name, or the number if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """Return a group's name, or the number if it has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def status(path: Path, *, follow: bool = True) -> os.stat_result | None:
    """Return what the kernel knows of a file; None when it is not there."""
    try:
        return path.stat(follow_symlinks=follow)
    except (FileNotFoundError, NotADirectoryError):
        return None


def values(path: Path) -> dict[str, Any]:
    """Return what Ansible's file modules register of a file."""
    found = status(path, follow=False)
    if found is None:
        return {"dest": str(path), "path": str(path)}
    return {
        "dest": str(path),
        "path": str(path),
        "uid": found.st_uid,
        "gid": found.st_gid,
        "owner": user_name(found.st_uid),
        "group": group_name(found.st_gid),
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "size": found.st_size,
        "state": "link" if stat.S_ISLNK(found.st_mode) else "directory" if stat.S_ISDIR(found.st_mode) else "file",
    }


def put(context: Context, path: Path, content: bytes, wanted: Attributes, validate: str = "") -> Result:
    """Write a file with this content and these attributes; `validate` is a command that must accept it first, as `%s`.

    In check mode, only report what would change. Raises ModuleError.
    """
    found = status(path)
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise ModuleError(f"{path} is a folder")
    before = None if found is None else path.read_bytes()
    if path.is_symlink():
        # As in Ansible, the file that replaces a link has nothing of the one it pointed to.
        found = None
    changes = [] if found is None else wanted.differences(found)
    if found is not None and before == content:
        return _attributes_only(context, path, wanted, changes)
    if not path.parent.is_dir():
        context.missing(f"path {path.parent}", f"the folder {path.parent} does not exist")
    if not context.check:
        _replace(context, path, content, kept(wanted, found), validate)
    what = "content changed" if found is not None else "created" if before is None else "link replaced by a file"
    return Result(
        changed=True,
        message=", ".join([what, *changes]),
        diff=difference(path, before or b"", content) if context.diff else "",
        values=values(path),
        makes=(f"path {path}",) if before is None else (),
    )


def _attributes_only(context: Context, path: Path, wanted: Attributes, changes: list[str]) -> Result:
    if changes and not context.check:
        context.changing()
        wanted.apply(path)
    diff = "".join(f"{path}: {change}\n" for change in changes) if context.diff else ""
    return Result(changed=bool(changes), message=", ".join(changes), diff=diff, values=values(path))


def kept(wanted: Attributes, found: os.stat_result | None) -> Attributes:
    """Return the attributes of the new file: the given ones, else those of the file it replaces, else the default ones."""
    if found is None:
        umask = os.umask(0)
        os.umask(umask)
        return Attributes(wanted.uid, wanted.gid, 0o666 & ~umask if wanted.mode is None else wanted.mode)
    return Attributes(
        found.st_uid if wanted.uid is None else wanted.uid,
        found.st_gid if wanted.gid is None else wanted.gid,
        stat.S_IMODE(found.st_mode) if wanted.mode is None else wanted.mode,
    )


def _replace(context: Context, path: Path, content: bytes, wanted: Attributes, validate: str) -> None:
    with replacing(path) as temporary:
        with private(temporary) as file:
            file.write(content)
        wanted.apply(temporary)
        if validate:
            _validate(context, temporary, path, validate)
        context.changing()


def _validate(context: Context, temporary: Path, path: Path, command: str) -> None:
    done = context.run([part.replace("%s", str(temporary)) for part in shlex.split(command)])
    if done.rc:
        said = done.stderr.replace(str(temporary), str(path))
        message = f"'{command}' refused the new content; {path} is unchanged"
        raise ModuleError(message, rc=done.rc, stdout=done.stdout, stderr=said)


def difference(path: Path, before: bytes, after: bytes) -> str:
    """Return a unified diff of a file's content, or one line when it is not text."""
    import difflib

    try:
        old, new = before.decode(), after.decode()
    except UnicodeDecodeError:
        return f"{path}: binary content differs\n"
    # Not splitlines(): files that differ only in what it takes for the end of a line would have no difference.
    a, b = (text.removesuffix("\n").split("\n") if text else [] for text in (old, new))
    lines = difflib.unified_diff(a, b, f"{path} (before)", f"{path} (after)", lineterm="")
    return "".join(f"{line}\n" for line in lines)
