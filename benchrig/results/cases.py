"""The sentences of warnings that have many cases, by the case, as `codes.Code` takes them."""

from __future__ import annotations

from collections.abc import Mapping

LITTLES_LAW: Mapping[str, str] = {
    "understated": "Mean latency is understated: Little's law predicts {factor} times as much. "
    "Slow or unanswered connections are missing from it.",
    "unexplained": "Mean latency is understated: Little's law predicts {factor} times as much. "
    "Either slow or unanswered connections are missing from it, or the server closes its connections: "
    "the time to connect is not included in any latency.",
    "impossible": "Mean latency is impossible: it is {factor} times what Little's law allows. "
    "Either requests overlapped on their connections, or the counts are wrong.",
    "overstated": "Mean latency is overstated: it is {factor} times what Little's law predicts. "
    "The load generator's correction adds latencies of requests that were never sent.",
}

GENERATOR_SATURATED: Mapping[str, str] = {
    "process": "The load generator was the bottleneck: it used {busy} of the {cores:core} it can use.",
    "threads": "The load generator was the bottleneck: {saturated:thread} of {threads} had no pause "
    "and used {busy} of a core.",
    "rate": "The load generator was near its own limit, with {each} of each thread: Little's law predicts a mean "
    "latency {factor} times as high, and its own work between two requests is not included in any latency.",
    "waiting": "The load generator was the bottleneck: {saturated:thread} of {threads} wanted a core all the time "
    "and got {busy} of one, because others used it too.",
    "crowded": "The load generator was the bottleneck: {saturated:thread} of {threads} wanted a core all the time "
    "and got {busy} of one, because the threads share {cores:core}.",
}

STEP: Mapping[str, str] = {
    "rose": "Throughput rose by {change} after {seconds}.",
    "fell": "Throughput fell by {change} after {seconds}.",
    "rose late": "Throughput rose by {change} after {seconds}, shortly before the end: it has no steady state.",
    "fell late": "Throughput fell by {change} after {seconds}, shortly before the end: it has no steady state.",
    "warm-up": "Throughput changed {steps:time}, and was highest at the end. "
    "The largest change was {change}, after {seconds}.",
    "slowdown": "Throughput changed {steps:time}, and was not highest at the end. "
    "The largest change was {change}, after {seconds}.",
    "no steady state": "Throughput changed {steps:time}, at last shortly before the end: it has no steady state. "
    "The largest change was {change}, after {seconds}.",
}

REPEATS_DRIFT: Mapping[str, str] = {
    "rising": "Throughput rose from repeat to repeat, by {change} from the first of {repeats} to the last. "
    "The interval does not include such a drift.",
    "falling": "Throughput fell from repeat to repeat, by {change} from the first of {repeats} to the last. "
    "The interval does not include such a drift.",
}

TWO_STATES: Mapping[str, str] = {
    "once": "Throughput changed between the repeats, after {after}, and stayed there: "
    "{low} in {in_low} of {repeats}, {high} in {in_high}. The median is that of one of two states.",
    "several": "The repeats are in two states, which changed {changes:time}: {low} in {in_low} of {repeats}, "
    "{high} in {in_high}. The median is that of one of them, or between them.",
}
