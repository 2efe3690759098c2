"""The table's number of connections: those that were really there, where they are fewer than asked for."""

from __future__ import annotations

from benchrig.report.columns import COLUMNS
from benchrig.report.conditions import same_traffic
from benchrig.report.export.record import record
from benchrig.report.table import make
from benchrig.units import PLAIN
from tests.support.reports import PUBLISHED, SEEN, a_cell, a_run, with_client

FEWER = a_cell(connections_seen=with_client(unanswered=300), repeat=2)
SOUND = a_cell(connections_seen=SEEN)


def test_the_number_of_a_row_is_that_of_its_poorest_repeat_and_has_no_published_figures_beside_it() -> None:
    sound, fewer = (make(a_run("go-2000"), cells, PUBLISHED) for cells in ([SOUND], [SOUND, FEWER]))
    (connections,) = (column for column in COLUMNS if column.key == "connections")
    assert [connections.text(table.rows[0], PLAIN) for table in (sound, fewer)] == ["2,000", "1,700 of 2,000"]
    assert [table.rows[0].published is not None for table in (sound, fewer)] == [True, False]
    assert fewer.rows[0].invalid
    assert [record(table.rows[0]).connections_there for table in (sound, fewer)] == [None, 1700]
    assert not same_traffic(sound.rows[0], fewer.rows[0])
