"""What the tests of QEMU's machines share: a machine as small as can be, which takes over nothing from this computer."""

from __future__ import annotations

import shutil

import pytest

from benchrig.machines.accelerator import QEMU
from benchrig.machines.controller.apt import Apt
from benchrig.machines.controller.pip import Pip
from benchrig.machines.controller.settings import Settings
from benchrig.machines.qemu.machine import Hardware

needs_qemu = pytest.mark.skipif(not (shutil.which(QEMU) and shutil.which("qemu-img")), reason="QEMU is not installed")

SMALL = Hardware(1, 64, "tcg")
SETTINGS = Settings((), (), {}, Apt(), Pip())
