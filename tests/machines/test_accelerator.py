"""Which accelerator works here: a guest is run, by a script in QEMU's place and by QEMU itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchrig.machines import accelerator
from benchrig.machines.accelerator import QEMU, Accelerator
from tests.support.qemu import needs_qemu


def program(folder: Path, text: str) -> str:
    """Write a shell script that stands in for QEMU, and return its path."""
    path = folder / "qemu"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def kvm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have /dev/kvm look usable."""
    monkeypatch.setattr(accelerator, "_candidate", lambda: ("kvm", ""))


@pytest.mark.usefixtures("kvm")
def test_kvm_is_used_when_a_guest_runs_with_it(tmp_path: Path) -> None:
    assert accelerator.probe(program(tmp_path, "exit 33")) == Accelerator("kvm")


@pytest.mark.usefixtures("kvm")
def test_kvm_with_which_qemu_aborts_is_not_used_and_its_first_message_is_the_reason(tmp_path: Path) -> None:
    said = program(tmp_path, "echo 'qemu: error: failed to set MSR 0x10a' >&2; echo assertion >&2; kill -ABRT $$")
    found = accelerator.probe(said)
    assert (found.name, found.reason.partition(": ")[0]) == ("tcg", "KVM")
    assert "QEMU aborts with it" in found.reason
    assert found.reason.endswith("failed to set MSR 0x10a")


@pytest.mark.usefixtures("kvm")
def test_kvm_with_which_qemu_hangs_is_given_up_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "PROBE_SECONDS", 0.2)
    qemu = program(tmp_path, "exec sleep 60")
    assert accelerator.probe(qemu) == Accelerator("tcg", f"KVM: {qemu} did not end within 0 s")


@pytest.mark.usefixtures("kvm")
def test_a_qemu_that_ends_well_without_having_run_the_guest_proves_nothing(tmp_path: Path) -> None:
    assert accelerator.probe(program(tmp_path, "exit 0")) == Accelerator("tcg", "KVM: QEMU fails with it")


def test_another_kind_of_processor_is_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    found = accelerator.probe("/does/not/exist")
    assert found.name == "tcg"
    assert "arm64" in found.reason


@needs_qemu
def test_the_guest_of_the_probe_runs_in_a_real_qemu() -> None:
    assert accelerator._failure(QEMU, Accelerator("tcg")) == ""
