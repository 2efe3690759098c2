"""What the sandbox of an app's unit costs: requests/s and CPU time per request, with it over without it, taken in turns.

Each row is loaded by wrk on the machine itself, by units that are alike but for the sandbox: `plain` has none of it,
`no-filter` all but the filters of system calls, `sandbox` all. They take turns forward and backward, so that what drifts
with time falls on all. CPU time per request tells more than throughput: other programs disturb it less, and rows that
sleep show it too.

    python benchmarks/bench_sandbox.py [--rounds 4] [--duration 5] [ROW ...]
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchrig import inventory, yamlfile
from benchrig.bench.app import read_apps
from benchrig.bench.generators.wrk.printed import read_printed
from benchrig.bench.rows import Row
from benchrig.bench.runtimes import TABLE
from benchrig.bench.suite import BenchRequest, plan
from benchrig.inventory import Inventory
from benchrig.machines import machines_of
from benchrig.remote import ssh

ROOT = Path(__file__).parent.parent
SUITES = {
    "web-frameworks": (
        "flask-no-sleep",
        "flask-sync",
        "flask-gevent-patched-first",
        "go-2000",
        "fastapi-async",
        "fastapi-gunicorn",
        "sanic",
        "openresty-2000",
    ),
    "quart-vs-flask": ("films-flask.film", "films-quart.film"),
}
CONNECTIONS = 100

FILTERS = (
    "SystemCallFilter",
    "SystemCallErrorNumber",
    "SystemCallArchitectures",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "LockPersonality",
    "ProtectClock",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "PrivateDevices",
)
"""Settings that systemd keeps by filters of system calls."""

ONCE = """
set -e
trap 'systemctl stop "$1"' EXIT
systemctl start "$1"
until python3 -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1])' "$2" 2>/dev/null; do sleep 0.1; done
sleep 1
wrk -t1 -c4 -d1s "$2" >/dev/null
ulimit -n "$(ulimit -Hn)"
used() {
  group=$(systemctl show --property=ControlGroup --value "$1")
  cat "/sys/fs/cgroup$group/cpu.stat" "/sys/fs/cgroup/unified$group/cpu.stat" 2>/dev/null | sed -n 's/^usage_usec //p'
}
used "$1"
wrk -t2 -c"$3" -d"$4"s --timeout 10s "$2"
used "$1"
"""

WRITE = """
set -e
for variant in plain no-filter sandbox; do
  case $variant in plain) leave=$2;; no-filter) leave=$3;; *) leave=nothing;; esac
  grep -vE "^($leave)=" "/etc/systemd/system/$1" > "/run/systemd/system/$variant-$1"
done
systemctl daemon-reload
"""


@dataclass(frozen=True)
class Once:
    """One load: requests/s, and the CPU time that the app used for each request, in microseconds."""

    per_second: float
    cpu_us: float


def write_units(hosts: Inventory, row: Row, sandbox: Sequence[str]) -> None:
    """Write the variants of a row's unit, which last until the machine stops."""
    argv = ["sh", "-c", WRITE, "sh", row.app.unit, "|".join(sandbox), "|".join(FILTERS)]
    with ssh.connect(hosts.group("servers")[0]) as remote:
        if (done := remote.run(argv)).code:
            raise SystemExit(f"{row.name}: {done.stderr.decode()}")


def once(hosts: Inventory, row: Row, variant: str, duration: int) -> Once:
    """Load a row's unit of a variant once."""
    url = f"http://127.0.0.1:{row.app.file.port}{row.traffic.routes[0].path}"
    argv = ["sh", "-c", ONCE, "sh", f"{variant}-{row.app.unit}", url, str(CONNECTIONS), str(duration)]
    with ssh.connect(hosts.group("servers")[0]) as remote:
        done = remote.run(argv, timeout=duration + 90.0)
    if done.code:
        raise SystemExit(f"{row.name}, {variant}: {done.stderr.decode()}")
    before, *printed, after = done.stdout.decode().strip().split("\n")
    load = read_printed("\n".join(printed))
    if not (load.requests and load.requests_per_second):
        raise SystemExit(f"{row.name}, {variant}: wrk printed no rate")
    return Once(load.requests_per_second, (int(after) - int(before)) / load.requests)


def told(row: Row, found: Mapping[str, Sequence[Once]]) -> Iterator[str]:
    """Yield what was found about a row."""
    plain = found["plain"]
    cpu = spread([one.cpu_us for one in plain])
    yield f"{row.name}: plain {spread([one.per_second for one in plain])} requests/s, {cpu} us of CPU time a request"
    for variant in ("no-filter", "sandbox"):
        throughput = ratios([one.per_second for one in found[variant]], [one.per_second for one in plain])
        cpu = ratios([one.cpu_us for one in found[variant]], [one.cpu_us for one in plain])
        yield f"  {variant:9} / plain: requests/s {throughput}; CPU time per request {cpu}"


def ratios(values: Sequence[float], plain: Sequence[float]) -> str:
    """Return the ratio of medians, and the least and greatest ratio of neighbours."""
    pairs = [value / other for value, other in zip(values, plain, strict=True)]
    return f"{statistics.median(values) / statistics.median(plain):.3f} (pairs {min(pairs):.3f} to {max(pairs):.3f})"


def spread(values: Sequence[float]) -> str:
    """Return median, minimum and maximum."""
    return f"{statistics.median(values):,.1f} ({min(values):,.1f} to {max(values):,.1f})"


def main() -> None:
    """Compare each row and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*")
    parser.add_argument("--inventory", default="lab")
    parser.add_argument("--rounds", type=int, default=4, help="of each variant; an even number keeps the turns fair")
    parser.add_argument("--duration", type=int, default=5, help="of each load, in seconds")
    asked = parser.parse_args()
    hosts = machines_of(inventory.read(asked.inventory, ROOT), ROOT).up()
    sandbox = list(yamlfile.read(TABLE).data["app_sandbox"])
    apps = read_apps(ROOT)
    for suite, names in SUITES.items():
        wanted = tuple(name for name in names if name in asked.rows or not asked.rows)
        for row in plan(ROOT, apps, BenchRequest(suite=suite, only=wanted)).rows if wanted else ():
            write_units(hosts, row, sandbox)
            found: dict[str, list[Once]] = {"plain": [], "no-filter": [], "sandbox": []}
            for number in range(asked.rounds):
                for variant in found if number % 2 else reversed(found):
                    found[variant].append(once(hosts, row, variant, asked.duration))
            print("\n".join(told(row, found)), flush=True)


if __name__ == "__main__":
    main()
