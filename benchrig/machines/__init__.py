"""Kinds of machine: how the hosts of an inventory come up, go down and are reached."""

from __future__ import annotations

from benchrig.machines.registry import KINDS, kind, machines_of

__all__ = ["KINDS", "kind", "machines_of"]
