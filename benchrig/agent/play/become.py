"""A module run as another user, in a process of its own; its result comes back through a pipe."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NoReturn

from .modules.base import ModuleError, NotYetKnownError, Result


def as_user(name: str, work: Callable[[], Result]) -> Result:
    """Run `work` with a user's rights, groups and home. Raises what it raises, or ModuleError when there is no such user."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise ModuleError(f"become_user: there is no user '{name}'") from None
    if user.pw_uid == os.geteuid():
        return work()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(user, work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return _answer(name, answer)


def _child(user: pwd.struct_passwd, work: Callable[[], Result], writing: int) -> NoReturn:
    """Take on the user's rights, work, write the result, and end without any clean-up of the parent's."""
    answer: dict[str, Any]
    try:
        os.initgroups(user.pw_name, user.pw_gid)
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        os.environ.update(HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name, SHELL=user.pw_shell)
        os.chdir("/")
        answer = {"result": asdict(work())}
    except ModuleError as failure:
        answer = {"failure": str(failure), "values": failure.values}
    except NotYetKnownError as unknown:
        answer = {"unknown": str(unknown)}
    except Exception as error:
        answer = {"failure": f"{type(error).__name__}: {error}", "values": {}}
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(json.dumps(answer, default=str).encode())
    os._exit(0)


def _answer(name: str, answer: bytes) -> Result:
    if not answer:
        raise ModuleError(f"the process of user '{name}' died")
    data = json.loads(answer)
    if "unknown" in data:
        raise NotYetKnownError(data["unknown"])
    if "failure" in data:
        raise ModuleError(data["failure"], **data["values"])
    return Result(**data["result"])
