"""Cells that have the warnings about replies."""

from __future__ import annotations

from dataclasses import replace

from benchrig.results.codes import Code
from benchrig.results.model import Cell, Checks, RouteReplies, Run
from tests.support.reports import a_cell, a_load, a_run

MIXED = replace(a_load(50_000), sent={"item": 45_100, "missing": 5_010})
GONE = a_cell(load=replace(MIXED, replies=(RouteReplies(404, ("missing",), 50_000),)))
CHECKED = a_cell(checks=Checks({"item": "status"}, partly=("GET /item",), same=("POST /orders/", "GET /orders/2")))
CAUSES: dict[Code, tuple[Cell, Run]] = {
    Code.MISPLACED_REPLIES: (GONE, a_run()),
    Code.SAME_REPLY: (CHECKED, a_run()),
    Code.PARTLY_CHECKED: (CHECKED, a_run()),
}
