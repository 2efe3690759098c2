"""Cells that have the warnings about connections."""

from __future__ import annotations

from dataclasses import replace

from benchrig.results.codes import Code
from benchrig.results.model import Cell, Descriptors, Run, Segments
from tests.support.audits import RUN, a_sound_cell
from tests.support.reports import SEEN, closing, with_client

CAUSES: dict[Code, tuple[Cell, Run]] = {
    Code.DEAD_CONNECTIONS: (a_sound_cell(connections_seen=with_client(unanswered=100)), RUN),
    Code.MISSING_CONNECTIONS: (a_sound_cell(connections_seen=with_client(established=1900)), RUN),
    Code.UNEQUAL_CONNECTIONS: (a_sound_cell(connections_seen=with_client(segments=Segments(3, 80, 100, 120, 100))), RUN),
    Code.DESCRIPTOR_LIMIT: (a_sound_cell(connections_seen=replace(SEEN, descriptors=Descriptors(1024, 1024, 1024))), RUN),
    Code.WRONG_AFTER: (a_sound_cell(wrong_after="GET /: status 500"), RUN),
    Code.NO_KEEP_ALIVE: (a_sound_cell(connections_seen=closing(50_000)), RUN),
    Code.PORTS_HELD: (a_sound_cell(connections_seen=with_client(time_wait=64_000)), RUN),
}
