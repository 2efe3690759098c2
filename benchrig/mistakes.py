"""The collector of mistakes in a user's files, so that all of them are shown at once and not only the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from benchrig.errors import MOST_PROBLEMS, InputError, Problem

P = ParamSpec("P")
T = TypeVar("T")


LONGEST_TITLE = 200
"""Characters of a title: it stands in headings and in every row of a table."""


class Mistakes:
    """Mistakes in any number of files, each once, in the order in which they were added."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}

    def __len__(self) -> int:
        return len(self._problems)

    def add(self, where: str, message: str) -> None:
        """Add one mistake at `where`: `file:line`, or a file. Raises InputError when there are MOST_PROBLEMS."""
        self._problems[Problem(where, message)] = None
        self._see_few()

    def attempt(self, where: str, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Return what `read` returns; None, with its mistakes added, when it raises InputError.

        `where` is the place of a mistake that names none itself.
        """
        try:
            return read(*args, **kwargs)
        except InputError as error:
            self._problems.update(dict.fromkeys(error.problems or [Problem(where, str(error))]))
        self._see_few()
        return None

    def raise_all(self) -> None:
        """Raise InputError with every mistake, if there is one."""
        if self._problems:
            raise InputError(problems=tuple(self._problems))

    def _see_few(self) -> None:
        if len(self._problems) >= MOST_PROBLEMS:
            self.raise_all()


def check_title(mistakes: Mistakes, where: str, title: str) -> None:
    """Check a title that stands in reports."""
    if len(title) > LONGEST_TITLE or not title.isprintable():
        mistakes.add(where, f"a title is one line of at most {LONGEST_TITLE} characters, without control characters")
