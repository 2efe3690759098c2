"""Fixtures of the bench's tests: connections to agents that answer as told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchrig.bench import host as bench_host
from benchrig.bench import link
from tests.support.agent_channels import Answer, Connection, Rig


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Rig]:
    """Return what makes connections to agents that answer as told."""

    def make(*answers: Answer | Exception) -> Rig:
        made = Rig(*answers)
        monkeypatch.setattr(link.ssh, "connect", lambda _host: Connection())
        monkeypatch.setattr(link.ship, "start", made.start)
        monkeypatch.setattr(bench_host, "_FIRST_PAUSE", 0.01)
        return made

    return make
