"""The parser of Vagrant's output: two versions, escapes, paths with spaces; and errors of one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchrig.machines.vagrant import errors
from benchrig.machines.vagrant.output import Failure, Line, failure, logins, parse, states
from tests.support import CASES

RECORDINGS = CASES / "vagrant"


def lines(name: str) -> list[Line]:
    text = (RECORDINGS / f"{name}.txt").read_text()
    return [line for line in map(parse, text.splitlines()) if line]


def told(name: str, provider: str = "libvirt") -> str:
    """Return the error for a recorded failure."""
    error = RECORDINGS / f"{name}.err"
    found = failure(lines(name), error.read_text() if error.exists() else "")
    made = errors.error("vm1 cannot be brought up", found, provider)
    assert "\n" not in f"{made}{made.hint}"
    return f"{made} | {made.hint}".rstrip(" |")


def test_escapes_are_undone() -> None:
    line = parse("1700000000,vm1,ui,info,==> vm1: one%!(VAGRANT_COMMA) two\\nthree\\r\n")
    assert line == Line("vm1", "ui", ("info", "==> vm1: one, two\nthree\r"))
    assert line.progress == "one, two"


@pytest.mark.parametrize("text", ["", "Host vm1", "  HostName 10.0.0.1", "a,b,c", "1,2", "==> vm1: prose, with, commas"])
def test_lines_of_plugins_are_ignored(text: str) -> None:
    assert parse(text) is None


def test_states_of_two_versions_are_read() -> None:
    assert states(lines("2.3.4/status-absent")) == {"vagrant.vm1": "not_created"}
    assert states(lines("2.3.4/status-running")) == {"vagrant.vm1": "running"}
    assert states(lines("2.3.4/status-shutoff")) == {"vagrant.vm1": "shutoff"}
    assert states(lines("2.3.4/status-paused")) == {"vagrant.vm1": "paused"}
    assert states(lines("2.4/status-mixed")) == {"vagrant.vm1": "running", "vagrant.vm2": "saved"}


@pytest.mark.parametrize(("version", "provider"), [("2.3.4", "libvirt"), ("2.4", "virtualbox")])
def test_logins_of_two_versions_are_read(version: str, provider: str) -> None:
    (line,) = [line for line in lines(f"{version}/ssh-config") if line.kind == "ssh-config"]
    told = Line(line.target, line.kind, (line.data[0].replace("@ROOT@", "/a b").replace("@PORT@", "2222"),))
    login = logins([told])["vagrant.vm1"]
    assert (login.address, login.port, login.user) == ("127.0.0.1", 2222, "vagrant")
    assert login.keys == (Path(f"/a b/.vagrant/machines/vagrant.vm1/{provider}/private_key"),)


def test_all_of_the_shared_keys_are_read() -> None:
    line = lines("2.4/ssh-config-insecure")
    shown = [Line(one.target, one.kind, tuple(data.replace("@PORT@", "22") for data in one.data)) for one in line]
    assert [key.name for key in logins(shown)["vagrant.vm1"].keys] == ["vagrant.key.ed25519", "vagrant.key.rsa"]


def test_a_missing_virtualbox_gives_a_short_error_with_a_hint() -> None:
    text = told("2.3.4/no-virtualbox", "virtualbox")
    assert text.startswith("vm1 cannot be brought up: VirtualBox cannot be used: Vagrant could not detect VirtualBox | ")
    for other in ("benchrig_provider: libvirt", "-i qemu", "-i lab"):
        assert other in text


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        ("no-box", "Could not resolve host: vagrantcloud.com"),
        ("no-box-url", "Could not resolve host: boxes.invalid"),
        ("no-box-file", "Couldn't open file /no%20where/x%20y.box"),
        ("bad-box", "bsdtar: Error opening archive: Unrecognized archive format"),
    ],
)
def test_a_box_that_cannot_be_fetched_gives_the_reason(recording: str, reason: str) -> None:
    text = told(f"2.3.4/{recording}")
    assert text.startswith(f"vm1 cannot be brought up: the box cannot be fetched: {reason} | ")
    assert "benchrig_box" in text


def test_a_stopped_libvirt_gives_a_hint_how_to_start_it() -> None:
    text = told("2.3.4/no-libvirtd")
    assert text.startswith("vm1 cannot be brought up: libvirt does not answer: ")
    assert "virtlogd -d; libvirtd -d; virsh net-start default" in text


def test_an_exception_of_vagrant_is_the_reason() -> None:
    assert "bad URI(is not URI?)" in told("2.3.4/crash")
    assert failure([], "") == Failure("", "")
    assert told_of(Failure("", "")) == "x: Vagrant failed and did not say why"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("DomainNameExists", "libvirt has a machine of that name already"),
        ("DomainVolumeExists", "libvirt has a machine of that name already"),
        ("VMBootTimeout", "did not answer over SSH in time"),
        ("MachineLocked", "another Vagrant process works on it"),
        ("ProviderNotFound", "this Vagrant has no provider 'libvirt'"),
        ("SnapshotNotFound", "it has no snapshot"),
        ("SomethingNew", "x: Much is explained"),
    ],
)
def test_a_failure_is_known_by_its_class(kind: str, words: str) -> None:
    assert words in told_of(Failure(kind, "Much is explained.\n\nthe last line\n"))


def told_of(found: Failure) -> str:
    return str(errors.error("x", found, "libvirt"))
