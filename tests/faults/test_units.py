"""Apps as units: values of `app.yml` that would be syntax, units that were changed, the sandbox."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchrig.agent.bench import runtime
from benchrig.agent.bench.probe import VersionProbe
from benchrig.inventory import Host
from tests.support.clone import Clone
from tests.support.faults import fault
from tests.support.mine import give, on

SERVER = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        status = dict(line.split(":", 1) for line in open("/proc/self/status"))
        names = ("Uid", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")
        told = {name: status[name].split()[0] for name in names} | {"argv": sys.argv[1:]}
        told |= {name: os.environ.get(name, "") for name in ("QUOTED", "NEXT")} | {"writes": self.writes()}
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def writes(self):
        found = []
        for folder in ("/etc", "/root", "/home", "/opt/benchrig", "/var/log", "/tmp", os.environ["RUNTIME_DIRECTORY"]):
            try:
                open(folder + "/benchrig-test", "w").close()
                found.append(folder)
            except OSError:
                pass
        return found

    def log_message(self, *ignored):
        pass


ThreadingHTTPServer(("0.0.0.0", 8080), Server).serve_forever()
"""

COMMAND = "python3 server.py %n %% ';' '+/bin/sh' '@x' $HOME ${HOME}/x 'two  words' \"it's\" 'back\\slash' '\"' ''"
ARGUMENTS = ["%n", "%%", ";", "+/bin/sh", "@x", "$HOME", "/nonexistent/x", "two  words", "it's", "back\\slash", '"', ""]
QUOTED = '"x" \\n %n ${HOME} $HOME \' # ; "User=root"'

APP: dict[str, Any] = {
    "title": 'C:\\ %n "\\',
    "command": COMMAND,
    "environment": {"QUOTED": QUOTED, "NEXT": "User=root\\"},
    "routes": {"look": {"path": "/", "expect": {"contains": '"Uid"'}}},
}


def told(host: Host) -> dict[str, Any]:
    """Start the app, and return what it tells of itself."""
    address = "http://127.0.0.1:8080/"
    ask = f"import urllib.request as u; print(u.urlopen('{address}').read().decode())"
    start = "systemctl start benchrig-mine; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.3; "
    found: dict[str, Any] = json.loads(on(host, f'{start} python3 -c "{ask}" 2>/dev/null && break; done'))
    on(host, "systemctl stop benchrig-mine")
    return found


@pytest.mark.lab
@fault(
    "Apps and units",
    done="an app whose title, command and environment have systemd's prefixes, quotes, specifiers, `;`, `$` and backslashes",
    promised="the app gets each word and each value as it is written, and runs as `benchrig`",
    seen="12 arguments and 2 variables as written, uid of benchrig, no capabilities, NoNewPrivs 1, Seccomp 2",
)
@fault(
    "Apps and units",
    done="an app writing to /etc, /root, /home, /opt/benchrig, /var/log, /tmp and its runtime directory",
    promised="it can write only to its own /tmp and its runtime directory",
    seen="2 of 7 folders written to; the file in /tmp was not in the machine's /tmp",
)
def test_hostile_values_are_text_and_the_app_is_in_a_sandbox(restored: Clone, deployed_host: Host) -> None:
    give(restored, SERVER, APP)
    done = restored.inv("bench", "--suite", "mine")
    assert done.code == 0, done.stderr
    found = told(deployed_host)
    assert found["argv"] == ARGUMENTS
    assert (found["QUOTED"], found["NEXT"]) == (QUOTED, "User=root\\")
    assert found["Uid"] == on(deployed_host, "id -u benchrig").strip() != "0"
    assert (int(found["CapEff"], 16), int(found["CapBnd"], 16), found["NoNewPrivs"], found["Seccomp"]) == (0, 0, "1", "2")
    assert found["writes"] == ["/tmp", "/run/benchrig-mine"]
    assert "benchrig-test" not in on(deployed_host, "ls /tmp")


@pytest.mark.lab
@fault(
    "Apps and units",
    done="measuring every deployed unit with `systemd-analyze security`",
    promised="an exposure of at most 2.5",
    seen="1.5 for each unit (9.2 without the sandbox)",
)
def test_units_are_little_exposed(deployed: Clone, deployed_host: Host) -> None:
    assert deployed.inv("up").code == 0
    rated = on(
        deployed_host, "cd /etc/systemd/system; for unit in benchrig-*; do systemd-analyze security $unit | tail -1; done"
    )
    levels = [float(level) for level in re.findall(r"service: (\d+\.\d+) ", rated)]
    assert len(levels) >= 2
    assert max(levels) <= 2.5


@pytest.mark.lab
@fault(
    "Apps and units",
    done="an app that needs what the sandbox denies, with `sandbox: false`",
    promised="it runs without the sandbox, and still as `benchrig`",
    seen="NoNewPrivs 0, all capabilities within reach, uid of benchrig",
)
def test_a_unit_without_a_sandbox_still_runs_as_our_user(restored: Clone, deployed_host: Host) -> None:
    give(restored, SERVER, APP | {"sandbox": False})
    done = restored.inv("bench", "--suite", "mine")
    assert done.code == 0, done.stderr
    found = told(deployed_host)
    assert (found["NoNewPrivs"], int(found["CapEff"], 16)) == ("0", 0)
    assert int(found["CapBnd"], 16)
    assert found["Uid"] == on(deployed_host, "id -u benchrig").strip() != "0"


@pytest.mark.lab
@fault(
    "Apps and units",
    done="an app that writes to /var/log at its start, which its sandbox denies",
    promised="the cell fails, and its reason names the sandbox and `sandbox: false`",
    seen="`OSError: [Errno 30] Read-only file system: '/var/log/mine'; its sandbox may be the cause …`",
)
def test_an_app_that_its_sandbox_ends_is_told_so(restored: Clone) -> None:
    give(restored, 'open("/var/log/mine", "w")\n', APP)
    done = restored.inv("bench", "--suite", "mine")
    assert done.code == 1
    said = done.stdout + done.stderr
    assert "its sandbox may be the cause ('Read-only file system'): 'sandbox: false' in its app.yml permits more" in said


@pytest.mark.lab
@fault(
    "Apps and units",
    done="a drop-in on the server that makes an app's unit run as root",
    promised="the app is stopped at once, and the cell fails with the user's name",
    seen="`lab1: the app ran as user root, not as benchrig (process …), and was stopped`; no process of it is left",
)
def test_a_unit_that_was_made_to_run_as_root_fails_the_cell(restored: Clone, deployed_host: Host) -> None:
    folder = "/etc/systemd/system/benchrig-flask-sync.service.d"
    on(deployed_host, f"mkdir {folder}; printf '[Service]\\nUser=root\\n' > {folder}/root.conf; systemctl daemon-reload")
    done = restored.inv("bench", "--only", "flask-sync", "--duration", "1s", "--connections", "16")
    assert done.code == 1
    assert "lab1: the app ran as user root, not as benchrig (process " in done.stdout + done.stderr
    assert on(deployed_host, "systemctl is-active benchrig-flask-sync || true").strip() in ("inactive", "failed")


@pytest.mark.lab
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"command": "+{bin}/python3 server.py"}, "'command' begins with '+{bin}/python3', which is not the name or path"),
        ({"command": "python3 server.py\nUser=root"}, "'command' has a line break"),
        ({"environment": {"A": "x\nUser=root"}}, "the value of 'A' has a line break"),
        ({"title": "x\nUser=root"}, "a title is one line of at most"),
        ({"environment": {"A=1 B": "x"}}, "'A=1 B' is not the name of an environment variable"),
    ],
    ids=["prefix", "command", "environment", "title", "name"],
)
@fault(
    "Apps and units",
    done='`command: "+…"`, a line break with `User=root` in command, environment or title, an invalid name of a variable',
    promised="nothing is sent; the line says file, line and mistake; exit code 2",
    seen="`apps/mine/app.yml:2: 'command' begins with '+{bin}/python3', which is not the name or path of a program`",
)
def test_what_would_be_syntax_is_refused_before_anything_starts(deployed: Clone, changes: dict[str, Any], said: str) -> None:
    give(deployed, SERVER, APP | changes)
    done = deployed.inv("bench", "--suite", "mine")
    assert done.code == 2
    assert re.search(rf"apps/mine/app\.yml:\d+: {re.escape(said)}", done.stderr)
    give(deployed, SERVER, APP)


@fault(
    "Apps and units",
    done="an app's own program called `python3`, which does as it likes when asked for its version",
    promised="a file that a user other than root can have written is not run; any other runs as `benchrig`, without "
    "privileges",
    seen="its version was left out, and nothing of it ran; the same file, as root's: uid of the apps' user, NoNewPrivs 1",
)
@pytest.mark.skipif(os.geteuid() != 0, reason="the agent runs as root")
def test_a_file_of_an_app_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The machine of a test has no user benchrig.
    monkeypatch.setattr(runtime, "USER", "nobody")
    program = tmp_path / "python3"
    shutil.copyfile(shutil.which("dash") or "/bin/sh", program)
    program.chmod(0o755)
    script = "echo Python $(id -u)-$(id -G)-$(grep NoNewPrivs /proc/self/status | cut -f2)"
    probe = VersionProbe("Python", program="python.*", command=("{exe}", "-c", script), pattern=r"Python (\S+)")
    with subprocess.Popen([program, "-c", "read forever"], stdin=subprocess.PIPE) as app:
        try:
            found = []
            for owner, mode in ((65534, 0o755), (0, 0o775), (0, 0o757), (0, 0o755)):
                os.chown(program, owner, 0)
                program.chmod(mode)
                found.append(runtime.versions([probe], app.pid, [app.pid], {}, ()))
        finally:
            app.kill()
    assert found == [{}, {}, {}, {"Python": "65534-65534-1"}]
