# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Makes a week of usage (``environment/usage.yaml``) and the shop's deployments that ask for more than they did.

Run it after a change, also of the shop; with ``--check`` it only says whether the files are what it would make.
"""

from __future__ import annotations

import math
import random
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

HERE = Path(__file__).parent
HEAD = f"# {(HERE.parents[1] / 'CANARY').read_text(encoding='utf-8').strip()}\n# Made by make_environment.py.\n"
SHOP = HERE / "../../../fixtures/shop/manifests/services.yaml"
FIRST, HOURS = datetime(2025, 6, 2, tzinfo=UTC), 7 * 24


@dataclass(frozen=True, slots=True)
class Usage:
    """The quiet and the busy hours of a deployment: millicores and MiB."""

    deployment: str
    cpu: tuple[int, int]
    memory: tuple[int, int]
    cpu_at: tuple[tuple[int, int], ...] = ()  # hours of the week with more
    memory_at: tuple[tuple[int, int], ...] = ()
    missing: tuple[int, ...] = ()  # hours without a sample


MORNINGS = tuple((day * 24 + hour, 48) for day in range(7) for hour in (6, 7))
USAGE = (
    Usage("cache", (1, 3), (8, 12)),
    Usage("cart", (4, 9), (24, 28), memory_at=((100, 30),), missing=(17, 18, 130)),
    Usage("catalog", (6, 15), (30, 52), cpu_at=((12, 71), (61, 66)), memory_at=((158, 70),), missing=(40,)),
    Usage("checkout", (2, 4), (20, 25)),
    Usage("database", (4, 7), (30, 37)),
    Usage("mail", (1, 3), (20, 24)),
    Usage("orders", (2, 4), (28, 44), cpu_at=MORNINGS, memory_at=((54, 101), (55, 98))),
    Usage("payment", (1, 3), (20, 24)),
    Usage("queue", (1, 3), (7, 11)),
    Usage("recommend", (3, 7), (20, 25)),
    Usage("shipping", (1, 4), (22, 30), memory_at=((85, 46), (86, 43))),
    Usage("stock", (2, 4), (20, 25)),
    Usage("web", (8, 22), (26, 33), cpu_at=((20, 96), (45, 91), (93, 99)), memory_at=((93, 38),)),
    Usage("worker", (2, 4), (20, 25)),
)
REQUESTS = {
    "web": ("150m", "192Mi"),
    "catalog": ("120m", "256Mi"),
    "recommend": ("100m", "32Mi"),
    "cart": ("60m", "128Mi"),
    "orders": ("60m", "128Mi"),
    "shipping": ("5m", "320Mi"),
}


def make_usage() -> str:
    """The week as a ConfigMap."""
    chance = random.Random(730)
    lines = ["hour,deployment,cpu_millicores,memory_mib"]
    for number in range(HOURS):
        day = 0.5 - 0.5 * math.cos((number % 24 - 3) / 24 * 2 * math.pi)  # quiet at three, busy at fifteen
        for each in USAGE:
            cpu, memory = (
                round(low + (high - low) * (0.85 * day + 0.15 * chance.random()))
                for low, high in (each.cpu, each.memory)
            )
            cpu, memory = dict(each.cpu_at).get(number, cpu), dict(each.memory_at).get(number, memory)
            values = "," if number in each.missing else f"{cpu},{memory}"
            lines.append(f"{FIRST + timedelta(hours=number):%Y-%m-%dT%H:00},{each.deployment},{values}")
    text = "".join(f"    {line}\n" for line in lines)
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: usage, namespace: monitor}\ndata:\n  usage.csv: |\n"
    return f"{HEAD}{head}{text}"


def make_requests() -> str:
    """The deployments whose requests are not the shop's own."""
    made = []
    for each in yaml.safe_load_all(SHOP.read_text(encoding="utf-8")):
        name = each["metadata"]["name"]
        if each["kind"] == "Deployment" and name in REQUESTS:
            [container] = each["spec"]["template"]["spec"]["containers"]
            cpu, memory = REQUESTS[name]
            container["resources"]["requests"] = {"cpu": cpu, "memory": memory}
            if memory != "32Mi":
                container["resources"]["limits"]["memory"] = memory
            made.append(each)
    return HEAD + yaml.safe_dump_all(made, sort_keys=False, width=120)


def main() -> int:
    """Write the files, or compare them."""
    made = {"environment/usage.yaml": make_usage(), "environment/requests.yaml": make_requests()}
    if "--check" in sys.argv[1:]:
        return int(any((HERE / name).read_text(encoding="utf-8") != text for name, text in made.items()))
    for name, text in made.items():
        (HERE / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
