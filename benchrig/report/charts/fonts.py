"""The fonts of charts as PNG: DejaVu Sans, and one for Chinese where a chart has such text.

They are given to the renderer as files, so that a chart looks the same on each machine. A missing one is installed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from wcwidth import wcwidth

from benchrig.errors import BenchrigError, MachineError
from benchrig.machines.controller import packages

FAMILY = "DejaVu Sans"

_LATIN = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")

_CHINESE = (
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf",
)
"""Fonts with all characters of Chinese, the smaller ones first. One of them does."""

_PACKAGES = {
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf": "fonts-dejavu-core",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc": "fonts-wqy-microhei",
}
"""What Debian has each font in, by the file that it installs."""


def find(text: str) -> Sequence[Path]:
    """Return the files of the fonts that a drawing's text needs; install those that are missing.

    Raises BenchrigError, with the package in its hint, where one is missing and cannot be installed.
    """
    chinese = any(wcwidth(character) == 2 for character in text)
    latin_file, chinese_file = _PACKAGES
    wanted = {
        **({} if _named(_LATIN[:1]) else {latin_file: _PACKAGES[latin_file]}),
        **({chinese_file: _PACKAGES[chinese_file]} if chinese and not _named(_CHINESE) else {}),
    }
    if wanted:
        try:
            packages.ensure(wanted, "a chart as PNG", f"install these fonts: {', '.join(wanted.values())}")
        except MachineError as error:
            raise BenchrigError(str(error), error.hint) from None
        _files.cache_clear()
    return [*_named(_LATIN), *(_named(_CHINESE)[:1] if chinese else ())]


def _named(names: Sequence[str]) -> list[Path]:
    """Return the fonts that are there, in the order of these names of files."""
    return [path for name in names if (path := _files().get(name))]


@cache
def _files() -> dict[str, Path]:
    """Return the files of all fonts of this machine and its user, by their names."""
    return {path.name: path for folder in _folders() for path in sorted(folder.rglob("*.[ot]t[fc]"))}


def _folders() -> Iterator[Path]:
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    for name in (
        "/usr/share/fonts",
        "/usr/local/share/fonts",
        f"{data}/fonts",
        "~/.fonts",
        "/Library/Fonts",
        "~/Library/Fonts",
    ):
        folder = Path(name).expanduser()
        if folder.is_dir():
            yield folder
