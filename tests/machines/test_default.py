"""The default inventory: the first kind of machine that can run on this computer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchrig.cli.task import ROOT
from benchrig.errors import MachineError
from benchrig.inventory import Inventory
from benchrig.machines import default
from benchrig.machines.base import Kind, Machines
from benchrig.machines.lab import requirements


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    default.default_inventory.cache_clear()


@pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root")
def test_root_on_linux_gets_a_lab(capsys: pytest.CaptureFixture[str]) -> None:
    assert default.default_inventory() == "lab"
    assert capsys.readouterr().err == ""


def test_an_ordinary_user_gets_a_virtual_machine_and_the_reason_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert [default.default_inventory(), default.default_inventory()] == ["qemu", "qemu"]
    assert capsys.readouterr().err == "the lab needs root, for namespaces and mounts: using -i qemu instead\n"


def test_other_system_than_linux_gets_a_virtual_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default.default_inventory() == "qemu"
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
    assert "which root may not make here, as in most containers: using -i qemu instead" in done.stderr


def no_machines(_inventory: Inventory, _root: Path) -> Machines:
    raise NotImplementedError


def test_without_a_kind_that_can_run_the_reasons_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {"one": Kind(no_machines, made_here=True, default_inventory="one", obstacle=lambda: "one needs root")}
    kinds["two"] = Kind(no_machines, made_here=False)
    monkeypatch.setattr(default, "KINDS", kinds)
    monkeypatch.setattr(default, "kind", kinds.get)
    with pytest.raises(MachineError, match=r"^one needs root$") as error:
        default.default_inventory()
    assert "-i NAME" in str(error.value.hint)


def test_a_lab_that_the_user_named_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MachineError, match="needs root") as caught:
        requirements.check()
    assert "-i qemu" in str(caught.value.hint)
