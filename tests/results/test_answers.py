"""Replies that answer another request are counted: the audit of what was sent and what came back."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from random import Random

import pytest

from benchrig.report.sentences import sentence
from benchrig.results import audit
from benchrig.results.codes import Code
from benchrig.results.model import RouteReplies
from tests.support.caused_answers import GONE
from tests.support.reports import a_cell, a_load, a_run


def test_misplaced_replies_are_those_that_no_request_is_left_for() -> None:
    (found,) = (one for one in audit.warnings(GONE, a_run()) if one.code is Code.MISPLACED_REPLIES)
    assert found.invalid
    assert sentence(found) == (
        "At least 44,990 of 50,000 replies answered another request: missing was requested 5,010 times, "
        "and its reply came 50,000 times."
    )


@pytest.mark.parametrize(
    ("sent", "replies", "left"),
    [
        ({"a": 10, "b": 5}, {"a": 10, "b": 5}, [0, 0]),
        ({"a": 10, "b": 5}, {"a": 11, "b": 4}, [1, 0]),
        # What fits both goes to whichever has requests left, also when the first kind must give way.
        ({"a": 10, "b": 5}, {"ab": 5, "a": 10}, [0, 0]),
        ({"a": 10, "b": 5}, {"ab": 15}, [0]),
        ({"a": 10, "b": 5}, {"ab": 6, "a": 10}, [0, 1]),
        ({"a": 3, "b": 3, "c": 3}, {"ab": 3, "bc": 3, "a": 3}, [0, 0, 0]),
        ({"a": 3, "b": 3, "c": 3}, {"ab": 3, "a": 3, "b": 3}, [0, 0, 3]),
        ({"a": 3}, {"z": 2}, [2]),
        ({}, {}, []),
    ],
)
def test_as_many_replies_as_possible_are_assigned_to_requests(
    sent: dict[str, int], replies: dict[str, int], left: list[int]
) -> None:
    kinds = tuple(RouteReplies(200, tuple(routes), count) for routes, count in replies.items())
    assert audit.answers.unassigned(sent, kinds) == left


def test_as_many_replies_are_assigned_as_the_smallest_cut_allows() -> None:
    """Ford and Fulkerson: the largest flow is the smallest cut, over all sets of routes."""
    random = Random(11)
    for _ in range(2000):
        names = "abcde"[: random.randint(1, 5)]
        sent = {name: random.randint(0, 6) for name in names}
        kinds = [
            RouteReplies(200, tuple(random.sample(names, random.randint(1, len(names)))), random.randint(0, 8))
            for _ in range(random.randint(1, 6))
        ]
        left = audit.answers.unassigned(sent, kinds)
        cuts = (
            sum(sent[name] for name in cut) + sum(kind.replies for kind in kinds if not cut >= set(kind.routes))
            for size in range(len(names) + 1)
            for cut in map(set, combinations(names, size))
        )
        assert sum(kind.replies for kind in kinds) - sum(left) == min(cuts), (sent, kinds)


def test_replies_that_were_not_checked_make_a_row_invalid() -> None:
    cell = a_cell(load=replace(a_load(), replies_checked=95_000))
    (unseen,) = (one for one in audit.warnings(cell, a_run()) if one.code is Code.PARTLY_CHECKED)
    assert unseen.invalid
    assert sentence(unseen).startswith("1,000 of 96,000 replies were not checked")
