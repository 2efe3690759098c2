"""What is known of a text that our own script wrote: latencies as measured, and which replies the row expected."""

from __future__ import annotations

from dataclasses import replace

from benchrig.results import audit
from benchrig.results.model import Load

NOTE = (
    "written by benchrig: judged by the latencies as measured and the replies that its row expected. ./inv report says more"
)


def known(figures: audit.Measured, load: Load | None) -> audit.Measured:
    """Return the figures of a text with what our script knows better; the same where it did not write the text."""
    if load is None:
        return figures
    figures = replace(
        figures,
        errors=replace(figures.errors, status=max(0, figures.errors.status - expected_errors(load))),
        always_busy=figures.always_busy and not load.pauses,
        pipeline=load.depth if (load.depth or 0) > 0 else figures.pipeline,
    )
    if (own := load.measured) is None:
        return figures
    return replace(
        figures,
        latency_mean_ms=own.mean_us / 1e3,
        latency_stdev_ms=own.stdev_us / 1e3,
        latency_min_ms=own.min_us / 1e3,
        latency_max_ms=own.max_us / 1e3,
        latency_as_measured_p99_ms=own.percentiles_us.get("99", 0.0) / 1e3,
        percentiles_ms={name: value / 1e3 for name, value in own.percentiles_us.items()},
    )


def expected_errors(load: Load) -> int:
    """Return how many replies with a status of 400 or more were right: a route of the row expects that status."""
    if not load.statuses:
        # Older versions counted no statuses, but compared each reply.
        return load.errors.status if load.replies_checked >= load.requests and not load.replies_wrong else 0
    found = 0
    for one in load.replies:
        if one.status >= 400:
            # A reply that fits a route which was not requested so often answered another request.
            sent = sum(load.sent.get(route, 0) for route in one.routes) if load.sent else one.replies
            found += min(one.replies, sent)
    return found
