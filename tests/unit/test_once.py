"""Properties that are made once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from pytest_itbench.once import once_property


class Slow:
    """Something that is slow to make."""

    @once_property
    def thing(self) -> object:
        """Another one each time it is made."""
        time.sleep(0.05)
        return object()


def test_threads_that_ask_first_share_what_is_made() -> None:
    """Each instance has its own, and keeps it where `vars` finds it."""
    one, other = Slow(), Slow()
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: one.thing, range(4)))
    assert made == {one.thing} == {vars(one)["thing"]}
    assert other.thing is not one.thing
    assert isinstance(Slow.thing, once_property)
