"""Make a folder once and keep it in the cache, such as the lab's root image or a box. Several processes may ask at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchrig import console, reading
from benchrig.machines.folder import LONGEST_PATH, OWNER, locked, remove

UNFINISHED = ".new"
"""How the names of unfinished things begin."""


@dataclass(frozen=True)
class Product:
    """What is made: the words for messages, such as `box` and `Debian 12 disk`, and how long it takes."""

    prefix: str
    name: str
    takes: str
    make: Callable[[Path, int], None]
    """Makes it at the path given, which does not exist, and may leave files beside it whose names begin with `.new`.

    The number is the descriptor of the lock, to be passed on to programs: they go on if benchrig is killed, and then
    nobody disturbs them.
    """


def make_once(path: Path, product: Product) -> Path:
    """Return `path`, after making it if it is not there.

    Waits while another process makes it. Afterwards removes everything beside it that no machine was made from. Raises
    MachineError as `product.make` does; then nothing of it is left.
    """
    if path.is_dir():
        return path
    shelf = path.parent
    shelf.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(shelf, f"another process makes the {product.name}") as lock, _clean(shelf):
        if not path.is_dir():
            console.line(f"{product.prefix}: making the {product.name} (once, {product.takes})")
            started = time.monotonic()
            product.make(shelf / UNFINISHED, lock)
            (shelf / UNFINISHED).rename(path)
            console.line(f"{product.prefix}: made the {product.name} in {time.monotonic() - started:.0f} s")
            _remove_unused(path)
    return path


@contextmanager
def _clean(shelf: Path) -> Iterator[None]:
    """Remove what is unfinished: before, what a killed process left; after, what we left ourselves."""
    _remove_unfinished(shelf)
    try:
        yield
    finally:
        _remove_unfinished(shelf)


def _remove_unfinished(shelf: Path) -> None:
    for leftover in shelf.glob(f"{UNFINISHED}*"):
        remove(leftover)


def _remove_unused(newest: Path) -> None:
    """Remove what older recipes made and no machine of any kind names in its file `image`."""
    images = newest.parent.parent.glob("*/*/machines/*/image")
    try:
        used = {part for image in images for part in Path(reading.text(image, LONGEST_PATH).strip()).parts}
    except reading.ReadError as error:
        console.warn(f"older images are kept, as it is not known what a machine was made from: {error}")
        return
    for path in newest.parent.iterdir():
        if path not in (newest, newest.with_name(OWNER)) and path.name not in used:
            remove(path)
