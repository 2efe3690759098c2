"""Helpers for tests with QEMU: a very small machine."""

from __future__ import annotations

import shutil

import pytest

from benchrig.machines.accelerator import QEMU
from benchrig.machines.qemu.machine import Hardware

needs_qemu = pytest.mark.skipif(not (shutil.which(QEMU) and shutil.which("qemu-img")), reason="QEMU is not installed")

SMALL = Hardware(1, 64, "tcg")
