"""The gate: how often `--fail-over 5%` passes, fails or does not decide equal rows, and rows of which one is slower."""

from __future__ import annotations

from collections import Counter
from random import Random

from benchmarks.simulations.cases import markdown, percent, spread_out
from benchrig.report.gate.model import Basis, Worsening
from benchrig.report.gate.worsening import Ratio, by_ratio
from benchrig.report.metrics import THROUGHPUT
from benchrig.statistics.difference import SIGNIFICANT, holm, welch
from tests.support.noise import Noise, repeats

LIMIT_PERCENT = 5.0

Case = tuple[int, int, float, float]
"""Rows, repeats of each, spread of repeats, and by how much one row is slower: shares."""

EQUAL: tuple[Case, ...] = tuple(
    (16, n, spread, 0.0) for spread, sizes in ((0.01, (6,)), (0.02, (6, 10)), (0.03, (6, 12, 16, 20))) for n in sizes
)
SLOWER: tuple[Case, ...] = ((16, 3, 0.04, 0.2), (16, 6, 0.03, 0.1), (16, 6, 0.02, 0.1), (16, 10, 0.02, 0.1))


def gates(job: tuple[Case, int]) -> dict[str, float]:
    """Return the shares of gates over so many rounds that pass, fail, or do not decide."""
    (rows, n, spread, slower), rounds = job
    rng, noise = Random(8), Noise(spread)
    found: Counter[str] = Counter()
    for _ in range(rounds):
        pairs = [(repeats(rng, n, noise), repeats(rng, n, noise, 1 - (slower if i == 0 else 0))) for i in range(rows)]
        bases = {one.basis for one in _judged(pairs)}
        said = "failed" if Basis.SHOWN_WORSE in bases else "passed" if bases == {Basis.WITHIN_LIMIT} else "not decided"
        found[said] += 1
    return {said: found[said] / rounds for said in ("passed", "not decided", "failed")}


def _judged(pairs: list[tuple[list[float], list[float]]]) -> list[Worsening]:
    """Judge each row as the gate does, with the p-values of both tests adjusted over the rows."""
    share = LIMIT_PERCENT / 100
    plain, limited = ([welch(a, b, margin) for a, b in pairs] for margin in (0.0, share / (1 - share)))
    adjusted, beyond = (holm([one.p for one in tests if one]) for tests in (plain, limited))
    blank = Worsening("row", THROUGHPUT.claimed, THROUGHPUT.unit.name, None, None, Basis.NO_RATIO)
    found = []
    for one, p, p_beyond in zip(plain, adjusted, beyond, strict=True):
        assert one
        worse = [is_shown < SIGNIFICANT and one.ratio < 1 for is_shown in (p, p_beyond)]
        found.append(by_ratio(blank, THROUGHPUT, Ratio(one.ratio, one.low, one.high, *worse), LIMIT_PERCENT))
    return found


def table(rounds: int = 600) -> list[str]:
    """Return how gates over 16 rows end, where nothing is slower and where one row is."""
    cases = (*EQUAL, *SLOWER)
    shares = spread_out(gates, [(case, rounds) for case in cases])
    return [
        f"How gates over 16 rows with a limit of {LIMIT_PERCENT:.0f} % end, in %:",
        "",
        *markdown(
            ["one row is slower by", "spread of repeats", "repeats", "passed", "not decided", "failed"],
            [
                [
                    f"{100 * slower:.0f} %" if slower else "nothing",
                    f"{100 * spread:.0f} %",
                    str(n),
                    *map(percent, share.values()),
                ]
                for (_, n, spread, slower), share in zip(cases, shares, strict=True)
            ],
        ),
    ]
