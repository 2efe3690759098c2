"""The base class of the operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

A = TypeVar("A")


class Operation(Generic[A]):
    """An operation on a host; the type in brackets is that of its answer."""

    @classmethod
    def answer(cls) -> Any:
        """Return the class of the answer."""
        (base,) = cls.__orig_bases__  # type: ignore[attr-defined]
        return get_args(base)[0]


@dataclass(frozen=True)
class Done:
    """The empty answer."""
