"""After `destroy` nothing of the controller is changed.

So that nobody else's doings are in the picture, this is looked at in namespaces of its own: there, all interfaces, routes,
mounts and processes before and after must be the same, not only those that look like ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.machines import folder
from benchrig.machines.lab import process
from benchrig.machines.lab.kind import LabMachines
from tests.support import ROOT
from tests.support.lab import write_inventory

pytestmark = pytest.mark.lab


COMMANDS = {
    "interfaces": "ip -oneline link",
    "addresses": "ip -oneline address",
    "routes": "ip route show table all; ip rule",
    "packet filter": "iptables-save 2>/dev/null; nft list ruleset 2>/dev/null",
    "sysctls": "sysctl -a 2>/dev/null | grep -E '^net.ipv4.(ip_forward|conf.all)|^net.bridge'",
    "mounts": "cat /proc/self/mounts",
    "control groups": "find /sys/fs/cgroup -name 'benchrig-{lab}*'",
    "run": "find /run /var/lib/machines /etc/systemd -path /run/user -prune -o -print | sort",
    "cache": "find {cache} -path {cache}/images -prune -o -print | sort",
}


def snapshot(lab: LabMachines) -> dict[str, str]:
    """Return what this machine is like, as far as we can see."""
    reap()
    values = {"lab": lab.folder.path.name.rpartition("-")[2], "cache": str(folder.cache())}
    seen = {
        name: subprocess.run(["sh", "-c", command.format(**values)], capture_output=True, text=True, check=False).stdout
        for name, command in COMMANDS.items()
    }
    return {**seen, "processes": "\n".join(sorted(process.words()))}


def reap() -> None:
    """As the first process of our namespace, collect those that ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def observe(root: Path) -> None:
    """Bring a lab up, take it down and destroy it; print what the machine was like before, meanwhile and after."""
    lab = LabMachines(inventory.read("lab", root), root)
    before = snapshot(lab)
    lab.up()
    meanwhile = snapshot(lab)
    lab.down()
    stopped = snapshot(lab)
    lab.up()
    lab.destroy()
    print(json.dumps([before, meanwhile, stopped, snapshot(lab)]))


PROGRAM = f"""
import sys
sys.path[:0] = {[str(ROOT), *sys.path]!r}
from pathlib import Path
from tests.machines.lab.test_traces import observe
observe(Path(sys.argv[1]))
"""

ALONE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private")

# Every program of the machine writes to /run. The folders are mount's and systemd-nspawn's own, made where they run first.
FRESH_RUN = (
    'mount -t tmpfs tmpfs /run && cd /run && mkdir -p mount systemd/nspawn/locks systemd/nspawn/propagate && exec "$@"'
)


def test_destroy_leaves_the_controller_as_it_was(tmp_path: Path) -> None:
    write_inventory(tmp_path, ["lab1", "lab2"])
    make_image(tmp_path)
    cache = tmp_path / "cache/benchrig"
    cache.mkdir(parents=True)
    (cache / "images").symlink_to(folder.cache() / "images")
    done = subprocess.run(
        [*ALONE, "sh", "-c", FRESH_RUN, "sh", sys.executable, "-c", PROGRAM, str(tmp_path)],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    before, meanwhile, stopped, after = json.loads(done.stdout)
    for name in ("interfaces", "addresses", "routes", "mounts", "processes", "run", "cache"):
        assert meanwhile[name] != before[name], f"the {name} do not show a lab that runs"
    assert after == before
    # A stopped lab is nothing but files.
    assert {**stopped, "cache": ""} == {**before, "cache": ""}


def make_image(root: Path) -> None:
    """Make the root image, which a namespace without a way to the world could not."""
    lab = LabMachines(inventory.read("lab", root), root)
    lab.up()
    lab.destroy()
