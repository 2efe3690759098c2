"""ansible.builtin.file: files, folders and links created or removed, and their owner, group and mode."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..replacing import replacing
from . import files
from .base import Context, ModuleError, Result, expand
from .contract import Module, runs


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    path: str
    state: Literal["file", "directory", "link", "touch", "absent"] | None = None
    src: str | None = None
    """What a link points to."""
    owner: str | None = None
    group: str | None = None
    mode: str | None = None
    recurse: bool = False
    """Set owner, group and mode of everything in the folder too."""
    force: bool = False
    """A link replaces an existing file, and may point to nothing."""


def check(args: Args) -> Iterator[str]:
    """Yield what is wrong with the arguments together."""
    if (args.state == "link") != (args.src is not None):
        yield "'src' and 'state: link' need each other"
    if args.recurse and args.state != "directory":
        yield "'recurse' needs 'state: directory'"


def run(args: Args, context: Context) -> Result:
    """Bring the path into the requested state."""
    path = Path(expand(args.path))
    if args.state == "absent":
        return _absent(context, path)
    wanted = files.attributes(context, args.owner, args.group, args.mode)
    if args.state == "link":
        return _link(args, context, path, wanted)
    # Of a link, what it points to.
    path = path.resolve() if path.is_symlink() else path
    if args.state == "directory":
        return _directory(args, context, path, wanted)
    if args.state == "touch":
        return _touch(context, path, wanted)
    if files.status(path) is None:
        context.missing(f"path {path}", f"{path} does not exist; create it with 'state: touch' or copy")
    return _changed(context, path, wanted, [])


def _absent(context: Context, path: Path) -> Result:
    found = files.status(path, follow=False)
    if found is None:
        return Result(values={"path": str(path), "state": "absent"})
    if not context.check:
        context.changing()
        if stat.S_ISDIR(found.st_mode):
            import shutil

            shutil.rmtree(path)
        else:
            path.unlink()
    return Result(changed=True, message=f"{path} removed", values={"path": str(path), "state": "absent"})


def _link(args: Args, context: Context, path: Path, wanted: files.Attributes) -> Result:
    assert args.src is not None
    target = expand(args.src)
    found = files.status(path, follow=False)
    if found is not None and stat.S_ISLNK(found.st_mode) and str(path.readlink()) == target:
        return _changed(context, path, wanted, [])
    if found is not None and stat.S_ISDIR(found.st_mode) and any(path.iterdir()):
        raise ModuleError(f"{path} is a folder with files in it; a link cannot replace it")
    if found is not None and not stat.S_ISLNK(found.st_mode) and not args.force:
        raise ModuleError(f"{path} exists and is not a link; 'force: true' replaces it")
    if not args.force and not (path.parent / target).exists():
        context.missing(f"path {target}", f"{target} does not exist; 'force: true' creates the link anyway")
    if not path.parent.is_dir():
        context.missing(f"path {path.parent}", f"the folder {path.parent} does not exist")
    if not context.check:
        context.changing()
        _make_link(path, target, found)
        wanted.apply(path)
    return Result(changed=True, message=f"link to {target}", values=files.values(path), makes=(f"path {path}",))


def _make_link(path: Path, target: str, found: os.stat_result | None) -> None:
    if found is not None and stat.S_ISDIR(found.st_mode):
        path.rmdir()
    with replacing(path) as temporary:
        temporary.symlink_to(target)


def _directory(args: Args, context: Context, path: Path, wanted: files.Attributes) -> Result:
    found = files.status(path)
    if found is None:
        folders = [folder for folder in (path, *path.parents) if not folder.exists()]
        if not context.check:
            context.changing()
            _make_folders(folders, wanted)
        makes = [f"path {folder}" for folder in folders]
        return Result(changed=True, message="folder created", values=files.values(path), makes=makes)
    if not stat.S_ISDIR(found.st_mode):
        raise ModuleError(f"{path} exists and is not a folder")
    inside = sorted(path.rglob("*")) if args.recurse else []
    return _changed(context, path, wanted, inside)


def _make_folders(folders: list[Path], wanted: files.Attributes) -> None:
    """Create a folder and its parents; each gets the attributes, as in Ansible."""
    for folder in reversed(folders):
        folder.mkdir()
        wanted.apply(folder)


def _touch(context: Context, path: Path, wanted: files.Attributes) -> Result:
    created = files.status(path) is None
    if not context.check:
        context.changing()
        path.touch()
        wanted.apply(path)
    message = "created" if created else "touched"
    return Result(changed=True, message=message, values=files.values(path), makes=(f"path {path}",) if created else ())


def _changed(context: Context, path: Path, wanted: files.Attributes, inside: list[Path]) -> Result:
    """Set the attributes of a path and of what is in it."""
    changes = {entry: wanted.differences(entry.lstat()) for entry in (path, *inside)}
    changes = {entry: differences for entry, differences in changes.items() if differences}
    if changes and not context.check:
        context.changing()
        for entry in changes:
            wanted.apply(entry)
    said = [f"{entry}: {change}" for entry, differences in changes.items() for change in differences]
    message = ", ".join(changes.get(path, [])) or (f"{len(changes)} files in it changed" if changes else "")
    diff = "".join(f"{line}\n" for line in said) if context.diff else ""
    return Result(changed=bool(changes), message=message, diff=diff, values=files.values(path))


MODULE = Module(Args, runs(run), check=check, aliases={"dest": "path", "name": "path"})
