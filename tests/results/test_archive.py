"""Archives of runs: what comes out is what went in, and nothing of an archive that is wrong anywhere is kept."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
import shutil
import tarfile
import zlib
from pathlib import Path

import pytest

from benchrig.errors import InputError
from benchrig.results import labels, store
from benchrig.results.archive import ArchiveError, layout, pack, unpack
from benchrig.results.archive.unpacking import STAGING
from benchrig.results.lock import RunLock
from tests.support import archives
from tests.support.archives import NAME, archive, contents, manifest, member, odd_member, of_files, opened


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return tmp_path / "reports"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return the folder of a run in the reports of another project."""
    folder = tmp_path / "other" / "reports" / NAME
    shutil.copytree(archives.RUN, folder)
    return folder


def packed(folder: Path) -> bytes:
    to = io.BytesIO()
    pack(folder, to)
    return to.getvalue()


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_comes_back_byte_for_byte(run: Path, reports: Path) -> None:
    labels.write(run, "before the update")
    (run / "report.md").write_text("computed")
    found = unpack(opened(packed(run)), reports)
    assert (found.folder, found.was_there, found.lost) == (reports / NAME, False, 0)
    there = files(found.folder)
    there.pop(store.IMPORTED)
    sent = files(run)
    assert sent.pop("report.md") == b"computed"
    sent.pop("report.json")
    assert there == sent
    assert labels.read(found.folder) == "before the update"
    assert sorted(path.name for path in reports.iterdir()) == [NAME]


def test_the_same_run_gives_the_same_bytes_whatever_its_files_times_and_owners_are(run: Path) -> None:
    first = packed(run)
    for path in run.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    assert packed(run) == first


def test_tar_itself_reads_an_archive(run: Path, tmp_path: Path) -> None:
    with tarfile.open(fileobj=opened(packed(run)), mode="r:gz") as tar:
        tar.extractall(tmp_path / "out", filter="data")
    assert files(tmp_path / "out" / layout.TOP).keys() >= {"manifest.json", "run.json", "cells.jsonl"}


def test_long_and_foreign_names_come_through(run: Path, reports: Path) -> None:
    folder = run / "raw" / ("機器" * 40)
    folder.mkdir()
    (folder / f"{'x' * 100}-1.txt").write_text("text")
    found = unpack(opened(packed(run)), reports)
    assert (found.folder / folder.relative_to(run) / f"{'x' * 100}-1.txt").read_text() == "text"


def test_damaged_lines_are_kept_as_they_are(run: Path, reports: Path) -> None:
    with (run / store.CELLS).open("ab") as file:
        file.write(b'{"format": 2, "name": "sanic", "app\n\xff\xfe\n')
    found = unpack(opened(packed(run)), reports)
    assert found.lost == 2
    assert (found.folder / store.CELLS).read_bytes() == (run / store.CELLS).read_bytes()


def test_what_is_here_already_stays_with_its_label(run: Path, reports: Path) -> None:
    sent = packed(run)
    folder = unpack(opened(sent), reports).folder
    labels.write(folder, "mine")
    labels.write(run, "theirs")
    assert unpack(opened(packed(run)), reports).was_there
    assert labels.read(folder) == "mine"


@pytest.mark.parametrize("kind", ["other content", "file", "link", "empty"])
def test_another_run_of_the_name_is_not_replaced(run: Path, reports: Path, kind: str) -> None:
    reports.mkdir()
    if kind == "other content":
        shutil.copytree(run, reports / NAME)
        (reports / NAME / store.CELLS).open("a").write("\n")
    elif kind == "file":
        (reports / NAME).write_text("mine")
    elif kind == "link":
        (reports / NAME).symlink_to(run)
    else:
        (reports / NAME).mkdir()
    before = files(reports)
    with pytest.raises(InputError, match="is there already, and has another content") as caught:
        unpack(opened(packed(run)), reports)
    assert f"./inv rm {NAME}" in str(caught.value.hint)
    assert files(reports) == before


def test_a_run_that_is_measured_is_not_exported(run: Path) -> None:
    lock = RunLock(run)
    with pytest.raises(InputError, match="is being measured by process"):
        packed(run)
    lock.release()
    assert packed(run)


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (lambda run: (run / "raw" / "link.txt").symlink_to("/etc/passwd"), "is no regular file"),
        (lambda run: (run / "raw" / "folder").symlink_to("/etc"), "is a link"),
        (lambda run: os.mkfifo(run / "raw" / "fifo.txt"), "is no regular file"),
        (lambda run: (run / "label.txt").symlink_to("run.json"), "is no regular file"),
        (lambda run: (run / "raw" / ".hidden").write_text(""), "is no file of a run"),
        (lambda run: (run / "raw" / "FLASK-sync-1.txt").write_text(""), "which some systems take for the same"),
        (lambda run: (run / "run.json").write_text("{"), "run.json is damaged"),
        (lambda run: (run / "cells.jsonl").write_text(""), "no cell of it was measured"),
        (lambda run: (run / "cells.jsonl").unlink(), "no cell of it was measured"),
        (lambda run: (run / "ab.json").write_text("{}"), "is an A/B session"),
    ],
)
def test_what_no_archive_can_take_is_told_when_it_is_exported(run: Path, cause: object, said: str) -> None:
    (run / "raw" / "flask-sync-1.txt").write_text("text")
    cause(run)  # type: ignore[operator]
    with pytest.raises(InputError, match=said):
        packed(run)


def test_what_else_is_in_the_folder_is_named_and_left_out(run: Path) -> None:
    (run / "notes.txt").write_text("mine")
    found = pack(run, io.BytesIO())
    assert found.left_out == ("notes.txt",)


def test_an_imported_run_is_never_the_latest_beside_runs_made_here(run: Path, reports: Path) -> None:
    text = (run / store.RUN).read_text()
    (run / store.RUN).write_text(text.replace('"suite"', '"number": 999999999, "suite"', 1))
    imported = unpack(opened(packed(run)), reports).folder
    assert store.newest(reports) == imported
    assert store.next_number(reports) == 1
    own = store.create(reports, "web-frameworks", "19990101-000000-own")
    shutil.copytree(archives.RUN, own, dirs_exist_ok=True)
    (own / store.RUN).write_text(text.replace('"suite"', '"number": 1, "suite"', 1))
    assert store.newest(reports) == own


# Archives that are wrong.

FILES = contents()
RUN_JSON, CELLS = FILES["run.json"], FILES["cells.jsonl"]


def with_file(path: str, data: bytes = b"x") -> bytes:
    """Return an archive with one more file, whose manifest has it too."""
    return of_files(dict(sorted({**FILES, path: data}.items())))


def in_place_of_raw(entry: bytes) -> bytes:
    """Return an archive with another entry in place of a raw text."""
    members = [member("cells.jsonl", CELLS), entry, member("run.json", RUN_JSON)]
    return archive(member(layout.MANIFEST, manifest(FILES.items())), *members)


def bomb() -> bytes:
    """Return an archive of a hundred texts of 200 MiB, in 200 kB or so: it is its manifest that tells."""
    files = [{"path": f"raw/{number:03}.txt", "size": 200 << 20, "sha256": "0" * 64} for number in range(100)]
    listed = [*archives.listed([("cells.jsonl", CELLS)]), *files, *archives.listed([("run.json", RUN_JSON)])]
    return archive(member(layout.MANIFEST, manifest([], files=listed)), member("cells.jsonl", CELLS), bytes(1 << 20))


WRONG = {
    "empty": (b"", "it ends too early"),
    "no gzip": (b"PK\x03\x04" + bytes(100), "no file in gzip's format"),
    "no tar": (gzip.compress(b"hello"), "it ends too early"),
    "another tar": (archive(odd_member("../x/run.json", RUN_JSON)), "it is no archive of ./inv export"),
    "a page": (with_file("raw/evil.html"), "'raw/evil.html' is no file of a run"),
    "a drawing with a script": (with_file("raw/lab1/x.SVG"), "'raw/lab1/x.SVG' is no file of a run"),
    "cut off": (of_files(FILES)[:-200], "it ends too early"),
    "cut off within gzip's end": (of_files(FILES)[:-4], "it ends too early"),
    "damaged": (of_files(FILES)[:300] + b"\0\1\2" + of_files(FILES)[303:], "damaged|it ends too early|has "),
    "wrong sum of gzip": (of_files(FILES)[:-8] + bytes(8), "it is damaged"),
    "behind its end": (of_files(FILES) + b"x", "something follows behind its end"),
    "second gzip behind it": (of_files(FILES) + gzip.compress(b"x"), "something follows behind its end"),
    "one entry more": (of_files(FILES, member("raw/x.txt", b"x")), "it has more than its manifest.json says"),
    "later format": (of_files(FILES, format=2), "its format 2 is of a later benchrig"),
    "format 0": (of_files(FILES, format=0), "its format is 0"),
    "no manifest": (archive(member(layout.MANIFEST, b"{}")), "manifest.json cannot be read"),
    "manifest that is a list": (archive(member(layout.MANIFEST, b"[]")), "manifest.json cannot be read"),
    "deep manifest": (archive(member(layout.MANIFEST, b"[" * 100_000)), "manifest.json cannot be read"),
    "field that nobody knows": (of_files(FILES, more=1), "manifest.json cannot be read"),
    "absolute path": (with_file("/etc/cron.d/x"), "'/etc/cron.d/x' is no file of a run"),
    "path that leads up": (with_file("raw/../../x"), "is no file of a run"),
    "path that leads up at once": (with_file("../x"), "is no file of a run"),
    "path with a point": (with_file("raw/./x"), "is no file of a run"),
    "path with two slashes": (with_file("raw//x"), "is no file of a run"),
    "path that ends with a slash": (with_file("raw/x/"), "is no file of a run"),
    "backslashes": (with_file("raw/..\\..\\x"), "is no file of a run"),
    "file of a report": (with_file("report.html"), "'report.html' is no file of a run"),
    "mark of an import": (with_file("imported.txt"), "'imported.txt' is no file of a run"),
    "file of a session": (with_file("ab.json"), "'ab.json' is no file of a run"),
    "hidden file": (with_file("raw/.ssh"), "is no file of a run"),
    "too deep": (with_file("raw/a/b/c.txt"), "is no file of a run"),
    "raw as a file": (with_file("raw"), "'raw' is no file of a run"),
    "control character": (with_file("raw/a\nb.txt"), "is no file of a run"),
    "turned text": (with_file("raw/a\u202eb.txt"), "is no file of a run"),
    "space at the end": (with_file("raw/a.txt "), "is no file of a run"),
    "name that is too long": (with_file(f"raw/{'x' * 300}.txt"), "is no file of a run"),
    "file in a file": (with_file("raw/flask-sync-1.txt/x"), "is a file and a folder in it"),
    "same but for case": (with_file("raw/FLASK-sync-1.txt"), "which some systems take for the same"),
    "same but for composition": (
        of_files(dict(sorted({**FILES, "raw/é.txt": b"x", "raw/e\u0301.txt": b"x"}.items()))),
        "which some systems take for the same",
    ),
    "same twice": (of_files([*FILES.items(), ("run.json", RUN_JSON)]), "it has 'run.json' twice"),
    "not in order": (of_files(dict(reversed(FILES.items()))), "not in the order of their names"),
    "without run.json": (of_files({"cells.jsonl": CELLS}), "it lacks run.json"),
    "without cells": (of_files({"run.json": RUN_JSON}), "it lacks cells.jsonl"),
    "empty cells": (of_files({**FILES, "cells.jsonl": b""}), "no cell of the run was measured"),
    "damaged run.json": (of_files({**FILES, "run.json": b"{"}), "its run.json is damaged: not valid JSON"),
    "large run.json": (of_files({**FILES, "run.json": b" " * (17 << 20)}), "'run.json' has 17,825,792 bytes"),
    "label of two lines": (with_file("label.txt", b"a\nb\n"), "its label.txt is no label|a label is one line"),
    "label of controls": (with_file("label.txt", b"\x1b[31mred\n"), "a label is one line"),
    "long label": (with_file("label.txt", b"x" * 300 + b"\n"), "a label has at most 200 characters"),
    "run named latest": (of_files(FILES, run="latest"), "'latest' cannot be the name of a run"),
    "run named up": (of_files(FILES, run=".."), r"'\.\.' cannot be the name of a run"),
    "run named by a path": (of_files(FILES, run="../x"), "cannot be the name of a run"),
    "hidden run": (of_files(FILES, run=".x"), "cannot be the name of a run"),
    "run named as the index": (of_files(FILES, run="index.sqlite"), "cannot be the name of a run"),
    "run without a name": (of_files(FILES, run=""), "cannot be the name of a run"),
    "run named as a flag": (of_files(FILES, run="-rf"), "cannot be the name of a run"),
    "another content": (
        archive(
            member(layout.MANIFEST, manifest(FILES.items())),
            member("cells.jsonl", CELLS),
            member("raw/flask-sync-1.txt", b"b text\n"),
            member("run.json", RUN_JSON),
        ),
        "'raw/flask-sync-1.txt' is damaged: its SHA-256",
    ),
    "symbolic link": (
        in_place_of_raw(odd_member("raw/flask-sync-1.txt", type=tarfile.SYMTYPE, linkname="/etc/passwd")),
        "it has a symbolic link in place of 'raw/flask-sync-1.txt'",
    ),
    "hard link": (
        in_place_of_raw(odd_member("raw/flask-sync-1.txt", type=tarfile.LNKTYPE, linkname="run.json")),
        "it has a hard link in place of",
    ),
    "device": (in_place_of_raw(odd_member("raw/flask-sync-1.txt", type=tarfile.CHRTYPE)), "it has a device in place of"),
    "FIFO": (in_place_of_raw(odd_member("raw/flask-sync-1.txt", type=tarfile.FIFOTYPE)), "it has a FIFO in place of"),
    "folder": (in_place_of_raw(odd_member("raw/flask-sync-1.txt", type=tarfile.DIRTYPE)), "it has a folder in place of"),
    "sparse file": (in_place_of_raw(odd_member("raw/flask-sync-1.txt", b"a text\n", type=tarfile.GNUTYPE_SPARSE)), "it has"),
    "setuid file": (
        in_place_of_raw(odd_member("raw/flask-sync-1.txt", b"a text\n", mode=0o4755)),
        "it has '.*' in place of",
    ),
    "file of an owner": (in_place_of_raw(odd_member("raw/flask-sync-1.txt", b"a text\n", uid=1000)), "it has"),
    "other name": (in_place_of_raw(odd_member("raw/x.txt", b"a text\n")), "it has 'benchrig-run/raw/x.txt' in place of"),
    "bomb": (bomb(), "it would become 19.5 GiB; of an archive of"),
    "negative size": (
        of_files(FILES, files=[{"path": "run.json", "size": -1, "sha256": "0" * 64}]),
        "'run.json' has -1 bytes",
    ),
    "huge size": (
        of_files(FILES, files=[{"path": "raw/x", "size": 10**15, "sha256": "0" * 64}]),
        "'raw/x' has 1,000,000,000,000,000 bytes",
    ),
    "no hash": (of_files(FILES, files=[{"path": "run.json", "size": 1, "sha256": "md5"}]), "'run.json' has no SHA-256"),
}


@pytest.mark.parametrize("name", WRONG)
def test_nothing_of_an_archive_that_is_wrong_is_kept(name: str, reports: Path) -> None:
    content, said = WRONG[name]
    reports.mkdir()
    with pytest.raises(ArchiveError, match=said):
        unpack(opened(content), reports)
    assert list(reports.iterdir()) == []


def test_an_archive_with_any_byte_changed_is_refused_or_the_same(run: Path, tmp_path: Path) -> None:
    """Only gzip's own head, which says a time and a system, may differ without a word."""
    sent, draw = packed(run), random.Random(13)
    for number in range(150):
        changed, at = bytearray(sent), draw.randrange(len(sent))
        changed[at] ^= 1 << draw.randrange(8)
        reports = tmp_path / f"reports-{number}"
        try:
            found = unpack(opened(bytes(changed)), reports)
        except ArchiveError:
            assert not reports.exists() or not list(reports.iterdir())
        else:
            assert at < 10
            assert (found.folder / store.CELLS).read_bytes() == (run / store.CELLS).read_bytes()


def test_too_many_files_are_refused_before_they_are_read(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MOST_FILES", 2)
    with pytest.raises(ArchiveError, match="it has 3 files; a run has at most 2"):
        unpack(opened(of_files(FILES)), reports)


def test_an_archive_of_zeros_takes_no_memory(reports: Path) -> None:
    """A manifest of zeros is refused by the size in its header, whatever it would inflate to."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = layout.header(layout.MANIFEST, layout.MOST_MANIFEST_BYTES + 1)
    content = deflate.compress(head) + b"".join(deflate.compress(bytes(1 << 20)) for _ in range(100)) + deflate.flush()
    with pytest.raises(ArchiveError, match=r"it is no archive of \./inv export"):
        unpack(opened(content), reports)


def test_an_archive_that_changes_while_it_is_read_is_not_kept(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = opened(of_files(FILES))
    other = {**FILES, "raw/flask-sync-1.txt": b"b text\n"}
    looked = store.look

    def look(folder: Path) -> int:
        content.seek(0)
        content.truncate()
        content.write(of_files(other))
        return looked(folder)

    monkeypatch.setattr(store, "look", look)
    with pytest.raises(ArchiveError, match="it changed while it was read"):
        unpack(content, reports)
    assert list(reports.iterdir()) == []


def test_what_a_killed_import_left_is_no_run_and_the_next_one_removes_it(run: Path, reports: Path) -> None:
    shutil.copytree(run, reports / STAGING)
    assert store.names(reports) == set()
    assert store.next_number(reports) == 1
    unpack(opened(packed(run)), reports)
    assert [path.name for path in reports.iterdir()] == [NAME]


@pytest.mark.parametrize("step", ["open", "fsync", "rename"])
def test_an_import_that_fails_leaves_nothing(run: Path, reports: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    sent = packed(run)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    reports.mkdir()
    if step == "rename":
        monkeypatch.setattr(Path, "rename", fail)
    elif step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        opened_ = Path.open
        monkeypatch.setattr(Path, "open", lambda self, *a, **k: fail() if STAGING in self.parts else opened_(self, *a, **k))
    with pytest.raises(OSError, match="No space left"):
        unpack(opened(sent), reports)
    assert list(reports.iterdir()) == []


def test_hashes_of_the_manifest_are_those_of_the_files(run: Path) -> None:
    with tarfile.open(fileobj=opened(packed(run)), mode="r:gz") as tar:
        read = layout.manifest_of(tar.extractfile(f"{layout.TOP}/{layout.MANIFEST}").read())  # type: ignore[union-attr]
    assert [(one.path, one.sha256) for one in read.files] == [
        (path, hashlib.sha256(data).hexdigest()) for path, data in sorted(files(run).items()) if path != "report.json"
    ]


def test_a_run_named_as_published_figures_are_is_not_imported(reports: Path) -> None:
    with pytest.raises(layout.ArchiveError, match="is the name of a set of published figures"):
        unpack(opened(of_files(FILES)), reports, [NAME])
    assert not reports.exists()
