"""ansible.builtin.stat: the properties of a file."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from . import files
from .base import Context, Result, expand
from .contract import Module, runs


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    path: str
    follow: bool = False
    get_checksum: bool = True
    checksum_algorithm: Literal["md5", "sha1", "sha224", "sha256", "sha384", "sha512"] = "sha1"
    get_mime: bool = True
    """Accepted for Ansible's sake; the type is not looked up."""
    get_attributes: bool = True
    """Accepted for Ansible's sake; file-system attributes are not looked up."""


def run(args: Args, context: Context) -> Result:  # noqa: ARG001 - every module takes a context
    """Return the file's `stat`."""
    path = Path(expand(args.path))
    found = files.status(path, follow=args.follow)
    if found is None:
        return Result(values={"stat": {"exists": False}})
    return Result(values={"stat": {**_facts(path, found), **_content(args, path, found), **_link(path, found)}})


def _facts(path: Path, found: os.stat_result) -> dict[str, Any]:
    kind = found.st_mode
    return {
        "exists": True,
        "path": str(path),
        "mode": f"{stat.S_IMODE(kind):04o}",
        "isdir": stat.S_ISDIR(kind),
        "isreg": stat.S_ISREG(kind),
        "islnk": stat.S_ISLNK(kind),
        "issock": stat.S_ISSOCK(kind),
        "isfifo": stat.S_ISFIFO(kind),
        "ischr": stat.S_ISCHR(kind),
        "isblk": stat.S_ISBLK(kind),
        "uid": found.st_uid,
        "gid": found.st_gid,
        "pw_name": files.user_name(found.st_uid),
        "gr_name": files.group_name(found.st_gid),
        "size": found.st_size,
        "inode": found.st_ino,
        "nlink": found.st_nlink,
        "atime": found.st_atime,
        "mtime": found.st_mtime,
        "ctime": found.st_ctime,
        "readable": os.access(path, os.R_OK),
        "writeable": os.access(path, os.W_OK),
        "executable": os.access(path, os.X_OK),
    }


def _content(args: Args, path: Path, found: os.stat_result) -> dict[str, str]:
    if not (args.get_checksum and stat.S_ISREG(found.st_mode)):
        return {}
    with path.open("rb") as file:
        return {"checksum": hashlib.file_digest(file, args.checksum_algorithm).hexdigest()}


def _link(path: Path, found: os.stat_result) -> dict[str, str]:
    if not stat.S_ISLNK(found.st_mode):
        return {}
    return {"lnk_source": str(path.resolve()), "lnk_target": str(path.readlink())}


MODULE = Module(Args, runs(run), aliases={"dest": "path", "name": "path", "checksum": "checksum_algorithm"})
