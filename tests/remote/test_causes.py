"""Causes found in what programs on a host wrote: the line that names one, and what to do then."""

from __future__ import annotations

import pytest

from benchrig.remote import causes

CLOCK = """\
Get:1 http://deb.example/debian bookworm InRelease [151 kB]
E: Release file for http://deb.example/debian/dists/bookworm/InRelease is not valid yet (invalid for another 3y 2d).
"""

UPDATE = """\
W: Failed to fetch http://deb.example/debian/dists/bookworm/InRelease  Could not resolve 'deb.example'
E: Some index files failed to download. They have been ignored, or old ones used instead.
"""

DPKG = "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.\n"

LOCK = """\
E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (apt-get)
E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?
"""

FULL = """\
dpkg: error processing archive python3.deb (--unpack):
 cannot copy extracted data for './usr/bin/python3' to '/usr/bin/python3.dpkg-new': failed to write (No space left on device)
E: Sub-process /usr/bin/dpkg returned an error code (1)
"""


@pytest.mark.parametrize(
    ("output", "line", "cure"),
    [
        (CLOCK, "is not valid yet", "clock"),
        (UPDATE, "Failed to fetch http://deb.example", "package mirror"),
        (DPKG, "dpkg was interrupted", "dpkg --configure -a"),
        (LOCK, "Could not get lock", "Wait for its end"),
        (FULL, "No space left on device", "Make room"),
        ("sudo: sorry, you must have a tty to run sudo\n", "must have a tty", "requiretty"),
        ("sudo: 3 incorrect password attempts\n", "incorrect password", "--ask-become-pass"),
        ("me is not in the sudoers file.\n", "not in the sudoers file", "Permit sudo"),
        ('sudo: The "no new privileges" flag is set\n', "no new privileges", "log in as root"),
        ("nothing that is known\n", "nothing that is known", ""),
    ],
)
def test_the_line_that_names_a_cause_is_found(output: str, line: str, cure: str) -> None:
    cause = causes.find(output.encode(), become=True)
    assert cause
    assert line in cause.line
    assert not cause.line.startswith(("E: ", "W: "))
    assert cure in cause.hint
    assert bool(cure) == bool(cause.hint)


def test_a_refused_access_is_cured_by_root_only_for_who_is_none() -> None:
    output = b"/var/lib/benchrig: Permission denied\n"
    for become in (False, True):
        cause = causes.find(output, become=become)
        assert cause
        assert ("Log in as root" in cause.hint) is not become


@pytest.mark.parametrize("output", [b"", b"\n \n"])
def test_no_output_names_no_cause(output: bytes) -> None:
    assert causes.find(output, become=False) is None


def test_a_line_without_end_is_cut() -> None:
    cause = causes.find(b"x" * 100_000, become=False)
    assert cause
    assert len(cause.line) == 301
