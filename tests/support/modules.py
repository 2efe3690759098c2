"""The cases of the modules: what a project is like before, and its tasks."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import yaml

from tests.support import CASES
from tests.support.rig import Project

MODULES: list[dict[str, Any]] = [
    case for path in sorted((CASES / "modules").glob("*.yml")) for case in yaml.safe_load(path.read_text())
]


def prepare(project: Project, case: dict[str, Any]) -> None:
    """Make the files a case starts from."""
    for name, text in case.get("project", {}).items():
        project.write(name, text)
    for name, text in case.get("before", {}).items():
        (project.dir / name).parent.mkdir(parents=True, exist_ok=True)
        (project.dir / name).write_text(text, encoding="utf-8")
        (project.dir / name).chmod(0o644)
    for name, members in case.get("archive", {}).items():
        with tarfile.open(project.dir / name, "w:gz") as archive:
            for member, text in members.items():
                info = tarfile.TarInfo(member)
                info.size, info.mode, info.mtime = len(text), 0o644, 1_700_000_000
                archive.addfile(info, io.BytesIO(text.encode()))
    project.tasks(case["tasks"])
