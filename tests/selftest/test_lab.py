"""The self-test on a lab machine, and cores of their own there."""

from __future__ import annotations

import re

import pytest

from benchrig.inventory import Host
from benchrig.selftest.cases import CASES
from tests.support.benching import run
from tests.support.clone import Clone

pytestmark = pytest.mark.lab

ON_A_BUSY_MACHINE_TOO = (
    "late-replies",
    "dead-connections",
    "not-accepted",
    "descriptors",
    "wrong-replies",
    "no-replies",
    "death",
)
"""Cases whose warnings do not depend on a steady machine."""


def test_the_self_test_finds_what_it_causes(clone: Clone, lab1: Host) -> None:
    done = clone.inv("selftest", timeout=600)
    assert done.code in (0, 1), done.stderr
    rows = done.stdout.splitlines()
    for case in CASES:
        assert any(row.startswith(f"{case.name} ") for row in rows), f"{case.name}\n{done.stdout}"
    for name in ON_A_BUSY_MACHINE_TOO:
        assert not re.search(rf"^{name} on lab1: .*no warning", done.stdout, re.MULTILINE), done.stdout
    assert run(lab1, "systemctl is-active benchrigd benchrig-selftest")[1].split() == ["inactive", "inactive"]


def test_pinned_programs_are_let_go_when_the_agent_is_killed(clone: Clone, lab1: Host) -> None:
    if run(lab1, "test $(nproc) -ge 2")[0]:
        pytest.skip("needs two CPUs")
    mark = "/run/systemd/system/benchrig-.service.d/pin.conf"
    watch = f"for i in $(seq 600); do test -e {mark} && exec systemctl kill --signal=KILL benchrigd; sleep 0.1; done"
    run(lab1, f"systemd-run --quiet --collect sh -c '{watch}'")
    done = clone.inv("bench", "--only", "flask-sync", "--connections", "40", "--duration", "5s", "--pin", timeout=300)
    assert done.code == 3, done.stderr
    assert run(lab1, f"sleep 2; test -e {mark}; echo $?; systemctl is-active benchrig-flask-sync")[1].split() == [
        "1",
        "inactive",
    ]
