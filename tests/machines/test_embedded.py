"""Which machines they get who name no inventory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchrig.cli.task import ROOT
from benchrig.machines import embedded
from benchrig.machines.lab import requirements


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    embedded.inventory.cache_clear()


@pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root")
def test_root_on_linux_gets_a_lab(capsys: pytest.CaptureFixture[str]) -> None:
    assert embedded.inventory() == "lab"
    assert capsys.readouterr().err == ""


def test_ordinary_user_gets_a_virtual_machine_and_is_told_why_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert [embedded.inventory(), embedded.inventory()] == ["qemu", "qemu"]
    told = "the lab needs root, for namespaces and mounts: taking the virtual machine of -i qemu in its place\n"
    assert capsys.readouterr().err == told


def test_other_system_than_linux_gets_a_virtual_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert embedded.inventory() == "qemu"
    assert requirements.obstacle() == "the lab runs on Linux only, and this is darwin"


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can give rights up")
def test_root_that_may_not_mount_is_shown_the_virtual_machine(tmp_path: Path) -> None:
    without_rights = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
    done = subprocess.run(
        [*without_rights, sys.executable, "-m", "invoke", "status"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "\nvm1 " in done.stdout, done.stderr
    assert "root may make none here, as in most containers: taking the virtual machine" in done.stderr


def test_lab_that_was_asked_for_by_name_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(requirements.MachineError, match="needs root") as caught:
        requirements.check()
    assert "-i qemu" in str(caught.value.hint)
