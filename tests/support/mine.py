"""An app of a test, `mine`, with its suite, in a clone of the project; and commands on the clone's machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from benchrig.inventory import Host
from benchrig.remote import ssh
from tests.support.clone import Clone

SUITE = """
title: One
profiles:
  quick: {duration: 1s, timeout: 10s, threads: 2}
rows:
  - {name: mine, connections: 16}
"""


def give(clone: Clone, server: str, app: Mapping[str, Any]) -> None:
    """Give a clone the app `mine`, with `server.py`, and its suite."""
    folder = clone.root / "apps" / "mine"
    folder.mkdir(exist_ok=True)
    (folder / "server.py").write_text(server, encoding="utf-8")
    file = {"title": "Mine", "runtime": "system", "source": ["server.py"], **app}
    (folder / "app.yml").write_text(yaml.safe_dump(file), encoding="utf-8")
    (clone.root / "configs" / "suites" / "mine.yml").write_text(SUITE, encoding="utf-8")


def on(host: Host, script: str) -> str:
    """Return what a script prints on a host; it must succeed."""
    with ssh.connect(host) as remote:
        done = remote.run(["sh", "-c", script])
    assert done.code == 0, done.stderr.decode()
    return done.stdout.decode()
