"""Sizes of screens that pages are looked at on."""

from __future__ import annotations

SCREEN = {"width": 1400, "height": 900}
PHONE = {"width": 390, "height": 844}
