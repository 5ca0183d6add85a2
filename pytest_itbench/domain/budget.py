"""What a run may spend."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Bounds for all requests of a run together; None means without bound. Dollars are US dollars."""

    dollars: float | None = None
    tokens: int | None = None
    requests: int | None = None
    seconds: float | None = None
