"""The process's environment variables, read where another thread may change them meanwhile.

Going through `os.environ` raises KeyError where another thread removes one, as pytest does between the phases of each
test.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def read_steadily(read: Callable[[], T]) -> T:
    """What `read` returns, called again as long as a variable went while it looked.

    It must raise KeyError for nothing else.
    """
    while True:
        with suppress(KeyError):
            return read()


def read_variables() -> dict[str, str]:
    """All of them, as they are now."""
    return read_steadily(lambda: dict(os.environ))
