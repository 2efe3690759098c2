"""One bench or provision at a time on a host: who comes second is refused or waits, and is told who has the host."""

from __future__ import annotations

import re
import signal
import time

import pytest

from benchrig.inventory import Host
from tests.support.benching import Bench, bench_under_load, left, run
from tests.support.clone import Clone
from tests.support.faults import fault
from tests.support.waiting import until

pytestmark = pytest.mark.lab

SECTION = "Agents, cells and Ctrl-C"


@fault(
    SECTION,
    done="a second bench while the first one measures",
    promised="it is refused with owner, host and age; the first goes on",
    seen="1.6 s: `lab1: a bench by root@vm, process 3244 has had this host for 4 s (process 63265 on the host)`",
)
def test_second_bench(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as first:
        second = Bench(deployed, seconds=1).wait(30)
        assert second.code == 3
        said = r"error: lab1: a bench by .+@.+, process \d+ has had this host for \d+ s \(process \d+ on the host\)\n"
        assert re.search(said, second.stderr)
        assert first.wait(60).code == 0


@fault(
    SECTION,
    done="two benches that begin at the same moment",
    promised="one measures, the other is refused",
    seen="exit codes 0 and 3",
)
@pytest.mark.usefixtures("deployed_host")
def test_two_benches_begin_at_once(deployed: Clone) -> None:
    both = [Bench(deployed, seconds=3) for _ in range(2)]
    assert sorted(bench.wait(60).code for bench in both) == [0, 3]


@fault(
    SECTION,
    done="a provision while a bench measures",
    promised="it waits for the bench's end, and is told whose it is; the bench is not disturbed",
    seen="`a bench by root@vm, … has had this host for 4 s …; waiting for its end`; the bench measured",
)
def test_provision_during_a_bench(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        done = deployed.inv("provision", "--tags", "base", timeout=60)
        # The bench had ended first.
        assert bench.process.poll() == 0
    assert done.code == 0, done.stderr
    assert re.search(r"a bench by .+@.+, process \d+ has had this host for \d+ s .*waiting for its end", done.stderr)


@fault(
    SECTION,
    done="`snapshot`, `restore`, `down` and `destroy` while a bench measures, and `snapshot` after that was killed with -9",
    promised="each is refused with machine, owner and age, and the bench goes on; a killed one stands in nobody's way",
    seen="1.0 s: `lab1 cannot be removed: in use by a bench by root@vm, process 2600, for 9 s`",
)
def test_machines_of_a_bench_are_left_alone(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        for verb, action in (("snapshot", "saved"), ("restore", "restored"), ("down", "stopped"), ("destroy", "removed")):
            done = deployed.inv(verb, timeout=30)
            assert done.code == 4
            assert re.match(
                rf"error: lab1 cannot be {action}: in use by a bench by .+@.+, process \d+, for \d+ s\n", done.stderr
            )
        assert bench.wait(60).code == 0
    with bench_under_load(deployed, deployed_host) as bench:
        bench.kill()
        assert deployed.inv("snapshot", timeout=120).code == 0


@fault(
    SECTION,
    done="the controller of a bench killed with -9 under load; then a provision",
    promised="the lock of a controller that has ended is given up after 5 s: app and load are stopped; the provision runs",
    seen="the provision said for whom it waited, and ended with code 0 after 5.3 s; nothing of the bench was left",
)
def test_provision_after_a_killed_bench(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as bench:
        bench.kill()
        done = deployed.inv("provision", "--tags", "base", timeout=60)
    assert done.code == 0, done.stderr
    assert left(deployed_host) == ""


@fault(
    SECTION,
    done="the controller of a bench silent (kill -STOP) under load for 40 s; a second bench after 30 s",
    promised="the second one says so and waits; it is refused when the first controller is back, which collects its cell",
    seen="`…; that controller may be back within 56 s); waiting for it`, then refused; the first bench measured its cell",
)
def test_second_bench_while_the_firsts_controller_is_silent(deployed: Clone, deployed_host: Host) -> None:
    with bench_under_load(deployed, deployed_host) as first:
        first.process.send_signal(signal.SIGSTOP)
        time.sleep(30)
        second = Bench(deployed, seconds=1)
        until(lambda: "waiting for it" in second.text(), 20)
        assert re.search(r"that controller may be back within \d+ s", second.text())
        first.process.send_signal(signal.SIGCONT)
        assert second.wait(30).code == 3
        ended = first.wait(60)
    assert ended.code == 0, ended.stderr
    assert "lab1: connection lost; reconnecting\nlab1: connected again\n" in ended.stderr
    assert [cell.status for cell in first.cells()] == ["measured"]


@fault(
    SECTION,
    done="a lock that names a dead process, or has other bytes",
    promised="the bench takes the lock",
    seen="the bench measured",
)
@pytest.mark.parametrize("content", ['{"verb": "bench", "session": "x", "who": "x", "pid": 99999, "since": 1}', "garbage"])
def test_stale_lock(deployed: Clone, deployed_host: Host, content: str) -> None:
    assert run(deployed_host, f"printf '%s' '{content}' > /run/benchrig/lock")[0] == 0
    assert Bench(deployed, seconds=1).wait(60).code == 0
