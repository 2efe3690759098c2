"""The atomic write: what is in place is always whole, has its mode from the start, and no link is followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig import files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask() -> Iterator[None]:
    """Tests say which permissions they expect; the umask of whoever runs them must not change that."""
    before = os.umask(0o027)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize(("asked", "given"), [(None, 0o640), (0o600, 0o600), (0o666, 0o666)])
def test_a_file_is_replaced_with_its_mode(tmp_path: Path, asked: int | None, given: int) -> None:
    path = tmp_path / "file"
    files.write(path, "old")
    files.write(path, "nü".encode(), asked)
    assert (path.read_text(encoding="utf-8"), mode(path)) == ("nü", given)
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "link"
    target.write_text("precious")
    path.symlink_to(target)
    files.write(path, "new")
    assert (path.read_text(), target.read_text(), path.is_symlink()) == ("new", "precious", False)


@pytest.mark.parametrize("error", [OSError("no space"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = tmp_path / "file"
    files.write(path, "old")

    def fail(_: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(error)):
        files.write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_symbolic_link_is_replaced(tmp_path: Path) -> None:
    link = tmp_path / "latest"
    for target in ("one", "two"):
        files.link(link, target)
        assert link.readlink() == Path(target)
    assert list(tmp_path.iterdir()) == [link]


def test_half_of_a_surrogate_pair_is_written_as_its_escape(tmp_path: Path) -> None:
    files.write(tmp_path / "file", "a\ud800b")
    assert (tmp_path / "file").read_bytes() == b"a\\ud800b"


def test_an_error_names_the_file_and_not_the_one_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.mkdir()
    with pytest.raises(OSError, match="Is a directory") as raised:
        files.write(path, "x")
    assert (raised.value.filename, raised.value.filename2) == (str(path), None)
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_flushed_and_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    files.sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        files.sync_folder(tmp_path / "gone")
