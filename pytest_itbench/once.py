"""Properties that are made once, by whichever thread asks first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any, Self, TypeVar, overload

T = TypeVar("T")


class once_property(cached_property[T]):  # noqa: N801  # named as the one that it stands in for
    """A cached_property that threads share: from Python 3.12 on, two that ask first would each make one.

    While one thread makes it, others wait, those of other instances too.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        super().__init__(make)
        self._making = threading.RLock()

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> T: ...
    def __get__(self, instance: object, owner: type[Any] | None = None) -> Self | T:
        """What was made; the instance's own dictionary has it from then on."""
        with self._making:
            # A thread that waited comes here although it is there by now, which the inherited method sees.
            return super().__get__(instance, owner)
