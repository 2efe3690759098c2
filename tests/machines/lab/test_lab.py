"""A real lab: machines boot, are reached with a pinned key, keep their files and see each other."""

from __future__ import annotations

import http.server
import os
import re
import subprocess
import threading
import time
from pathlib import Path

import pytest

from benchrig.errors import HostError, MachineError
from benchrig.machines.controller import settings as controller
from benchrig.machines.existing import ExistingMachines
from benchrig.machines.lab import image as lab_image
from benchrig.remote import openssh, ssh
from tests.support.lab import MakeLab, nspawn_of, run, up_command

pytestmark = pytest.mark.lab


def test_a_machine_boots_debian_12_with_systemd_and_nothing_failed(make_lab: MakeLab) -> None:
    host = make_lab("lab1").up().hosts["lab1"]
    assert run(host, "systemctl is-system-running --wait") == "running"
    assert run(host, ". /etc/os-release; echo $VERSION_CODENAME; hostname; cat /proc/1/comm").split() == [
        "bookworm",
        "lab1",
        "systemd",
    ]


def test_a_machine_installs_packages_with_the_controllers_settings(make_lab: MakeLab) -> None:
    host = make_lab("lab1").up().hosts["lab1"]
    run(host, "apt-get -q update && apt-get -qy --no-install-recommends install less 2>&1")
    assert run(host, "command -v less") == "/usr/bin/less"


def test_sysctls_of_its_network_are_the_machines_own(make_lab: MakeLab) -> None:
    host = make_lab("lab1").up().hosts["lab1"]
    ours = Path("/proc/sys/net/core/somaxconn").read_text()
    assert (
        run(host, "sysctl -q -w net.core.somaxconn=54321 net.ipv4.tcp_tw_reuse=1; sysctl -n net.core.somaxconn") == "54321"
    )
    assert Path("/proc/sys/net/core/somaxconn").read_text() == ours
    with ssh.connect(host) as remote:
        assert remote.run(["sysctl", "-w", "kernel.pid_max=4194303"]).code != 0


def test_up_on_a_running_machine_is_quick_silent_and_leaves_it_alone(
    make_lab: MakeLab, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = make_lab("lab1")
    first, pid = lab.up(), nspawn_of(lab, "lab1")
    capsys.readouterr()
    started = time.monotonic()
    assert lab.up() == first
    assert time.monotonic() - started < 0.5
    assert nspawn_of(lab, "lab1") == pid
    assert capsys.readouterr() == ("", "")


def test_what_is_on_a_machine_stays_over_down_and_goes_with_destroy(make_lab: MakeLab) -> None:
    lab = make_lab("lab1")
    key = run(
        lab.up().hosts["lab1"], "echo kept > /srv/file; cat /etc/ssh/ssh_host_ed25519_key.pub /etc/machine-id 2>&1; true"
    )
    lab.down()
    assert [status.state for status in lab.status()] == ["stopped"]
    with pytest.raises(MachineError, match="not running: lab1"):
        lab.reach()
    host = lab.up().hosts["lab1"]
    assert run(host, "cat /srv/file") == "kept"
    assert run(host, "cat /etc/ssh/ssh_host_ed25519_key.pub /etc/machine-id 2>&1; true") == key
    lab.destroy()
    assert [status.state for status in lab.status()] == ["absent"]
    assert run(lab.up().hosts["lab1"], "ls /srv") == ""


def test_the_host_key_is_pinned(make_lab: MakeLab) -> None:
    host = make_lab("lab1").up().hosts["lab1"]
    run(
        host,
        "cd /etc/ssh && rm ssh_host_* && ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key && systemctl restart ssh",
    )
    with pytest.raises(HostError, match="host key has changed"):
        ssh.connect(host)


def test_only_the_labs_own_key_opens_a_machine(make_lab: MakeLab) -> None:
    host = make_lab("lab1").up().hosts["lab1"]
    effective = run(host, "sshd -T")
    for line in (
        "passwordauthentication no",
        "kbdinteractiveauthentication no",
        "permitrootlogin without-password",
        "usedns no",
    ):
        assert line in effective
    assert len(run(host, "cat /root/.ssh/authorized_keys").splitlines()) == 1
    assert host.key_file
    assert host.key_file.stat().st_mode & 0o777 == 0o600


def test_a_lab_machine_is_an_existing_host_to_an_inventory_that_names_it_so(make_lab: MakeLab) -> None:
    hosts = ExistingMachines(make_lab("lab1").up())
    assert [(status.name, status.state) for status in hosts.status()] == [("lab1", "running")]


def test_machines_come_up_together_and_know_each_other_by_name(make_lab: MakeLab) -> None:
    lab = make_lab("lab1", "lab2", "lab3")
    hosts = lab.up().hosts
    assert len({host.address for host in hosts.values()}) == 3
    assert len({run(host, "cat /etc/machine-id") for host in hosts.values()}) == 3
    talk = "python3 -c 'import socket; print(socket.create_connection((\"{}\", 22), 2).recv(8).decode())'"
    assert run(hosts["lab1"], talk.format("lab2")) == "SSH-2.0-"
    assert run(hosts["lab3"], talk.format("lab1")) == "SSH-2.0-"


def test_a_machine_added_to_the_inventory_joins_those_that_run(make_lab: MakeLab) -> None:
    first = make_lab("lab1")
    first.up()
    pid = nspawn_of(first, "lab1")
    both = make_lab("lab1", "lab2")
    hosts = both.up().hosts
    assert nspawn_of(both, "lab1") == pid
    assert run(hosts["lab1"], "getent hosts lab2").split() == [hosts["lab2"].address, "lab2"]


def test_a_machine_taken_out_of_the_inventory_is_shown_and_goes_with_the_lab(make_lab: MakeLab) -> None:
    make_lab("lab1", "lab2").up()
    rest = make_lab("lab1")
    assert [(status.name, status.state) for status in rest.status()] == [("lab1", "running"), ("lab2", "running")]
    rest.destroy()
    assert not rest.folder.path.exists()


def test_labs_of_two_clones_run_side_by_side(make_lab: MakeLab) -> None:
    one, two = make_lab("lab1", clone="one"), make_lab("lab1", clone="two")
    first, second = one.up().hosts["lab1"], two.up().hosts["lab1"]
    assert first.address.rpartition(".")[0] != second.address.rpartition(".")[0]
    run(first, "echo one > /srv/file")
    assert run(second, "ls /srv") == ""
    one.destroy()
    assert run(second, "hostname") == "lab1"


def test_two_processes_that_bring_up_one_lab_make_one_machine(make_lab: MakeLab, tmp_path: Path) -> None:
    lab = make_lab("lab1")
    processes = [subprocess.Popen(up_command(tmp_path / "clone")) for _ in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert run(lab.reach().hosts["lab1"], "hostname") == "lab1"
    assert nspawn_of(lab, "lab1")


def test_a_machine_reaches_a_proxy_on_the_controllers_loopback(make_lab: MakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = f"proxied {self.path}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
        host = make_lab("lab1").up().hosts["lab1"]
        fetch = "import urllib.request as u; print(u.urlopen('http://nowhere.invalid/x', timeout=5).read().decode())"
        assert run(host, f'python3 -c "{fetch}"') == "proxied http://nowhere.invalid/x"
        server.shutdown()


def test_without_need_the_controllers_loopback_is_closed_to_the_lab(make_lab: MakeLab) -> None:
    lab = make_lab("lab1")
    host = lab.up().hosts["lab1"]
    gateway = re.sub(r"\d+$", "2", host.address)
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        connect = f"import socket; socket.create_connection(({gateway!r}, {server.server_port}), 2)"
        with ssh.connect(host) as remote:
            assert b"Network is unreachable" in remote.run(["python3", "-c", connect]).stderr


def test_the_error_for_a_machine_that_does_not_boot_has_the_end_of_its_log(make_lab: MakeLab) -> None:
    lab = make_lab("lab1")
    run(lab.up().hosts["lab1"], "ln -sf /bin/false /usr/sbin/init; ln -sf /bin/false /usr/lib/systemd/systemd")
    lab.down()
    with pytest.raises(MachineError, match=r"lab1: did not boot: systemd-nspawn ended\n    \S"):
        lab.up()
    assert [status.state for status in lab.status()] == ["stopped"]


def test_a_strict_umask_of_ours_shuts_no_user_out_of_a_machine(make_lab: MakeLab) -> None:
    lab = make_lab("lab1")
    ours = os.umask(0o077)
    try:
        host = lab.up().hosts["lab1"]
    finally:
        os.umask(ours)
    files = "/etc/hosts /etc/resolv.conf /etc/uv/uv.toml /etc/ssl/certs/ca-certificates.crt"
    run(host, f"setpriv --reuid=nobody --clear-groups cat {files}")


def test_more_machines_than_the_kernel_has_room_for_are_refused_before_any_boots(make_lab: MakeLab) -> None:
    lab = make_lab(*(f"m{number}" for number in range(100)))
    limit = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    if limit > 500:
        pytest.skip("this kernel has room")
    with pytest.raises(MachineError, match="100 more machines need about 500 inotify instances") as error:
        lab.up()
    assert "fs.inotify.max_user_instances" in str(error.value.hint)
    assert {status.state for status in lab.status()} == {"absent"}


def test_a_cache_path_with_a_space_carries_a_lab(make_lab: MakeLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = lab_image.make(controller.read())
    (tmp_path / "a cache/benchrig").mkdir(parents=True)
    (tmp_path / "a cache/benchrig/images").symlink_to(image.parent)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a cache"))
    lab = make_lab("lab1")
    run(lab.up().hosts["lab1"], "touch /srv/kept")
    lab.snapshot()
    host = lab.restore().hosts["lab1"]
    done = subprocess.run(["ssh", *openssh.arguments(host), "ls /srv"], capture_output=True, text=True, check=True)
    assert done.stdout == "kept\n"


def test_links_in_a_machine_never_lead_our_writing_out_of_it(make_lab: MakeLab, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    lab = make_lab("lab1")
    run(lab.up().hosts["lab1"], f"rm /etc/resolv.conf && ln -s {outside} /etc/resolv.conf")
    lab.down()
    run(lab.up().hosts["lab1"], "grep nameserver /etc/resolv.conf")
    assert outside.read_text() == "untouched"
    run(lab.reach().hosts["lab1"], f"rm -r /etc/uv && ln -s {tmp_path} /etc/uv")
    lab.down()
    with pytest.raises(MachineError, match="leads out of the machine"):
        lab.up()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clone", "outside"]
