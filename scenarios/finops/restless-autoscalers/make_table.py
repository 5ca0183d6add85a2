# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Makes hours of a fortnight (``table.csv``), their digest in the prompt, what is true (``truth.json``), candidates.

Run it after a change; with ``--check`` it only says whether the files are what it would make.
"""

from __future__ import annotations

import csv
import io
import json
import math
import random
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).parent
FIRST, DAYS, ALERT_DAY, CHANGED = date(2025, 6, 2), 14, date(2025, 6, 12), date(2025, 6, 10)
CPU_PRICE, MEMORY_PRICE = 0.04, 0.005
HOUSE_TARGET = 70


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment with its autoscaler.

    Attributes:
        cpu: cores that a replica requests; `memory` in GiB.
        load: cores that all replicas use together in the busiest hour; `kept` are the GiB that they use at any time.
        target: the autoscaler's, since it was changed; of CPU in percent, unless `by_memory`.
    """

    name: str
    cpu: float
    memory: float
    smallest: int
    largest: int
    load: float
    kept: float
    target: int = HOUSE_TARGET
    by_memory: bool = False


DEPLOYMENTS = (
    Deployment("accounts", 0.5, 1, 2, 20, 3.2, 3.0),
    Deployment("catalog", 1, 2, 2, 40, 6.4, 5.0, target=20),
    Deployment("checkout", 1, 2, 3, 60, 7.5, 6.0),
    Deployment("gateway", 0.5, 1, 12, 24, 2.0, 5.0),
    Deployment("indexer", 2, 8, 2, 24, 3.0, 15.0, target=30, by_memory=True),
    Deployment("payments", 1, 2, 3, 20, 3.4, 6.0, target=35),
    Deployment("pictures", 2, 4, 1, 16, 9.0, 9.0),
    Deployment("search", 2, 4, 2, 30, 14.0, 12.0),
)
BLAMED = ("catalog", "indexer")


def count_replicas(deployment: Deployment, used: float, target: int, *, by_memory: bool = False) -> int:
    """What an autoscaler makes of a load."""
    wanted = (
        deployment.kept / (deployment.memory * target / 100) if by_memory else used / (deployment.cpu * target / 100)
    )
    return min(deployment.largest, max(deployment.smallest, math.ceil(round(wanted, 6))))


def find_load(deployment: Deployment, day: date, hour: int, noise: float) -> float:
    """Cores in use: most at two in the afternoon, a third of that at night; a test of checkout on the alert's day."""
    wave = (math.cos((hour - 14) / 24 * 2 * math.pi) + 1) / 2
    load = deployment.load * (0.33 + 0.67 * wave) * noise
    if deployment.name == "checkout" and day == ALERT_DAY and 9 <= hour < 15:
        load *= 5
    return round(load, 1)


def find_price(deployment: Deployment) -> float:
    """Dollars for a replica's hour."""
    return deployment.cpu * CPU_PRICE + deployment.memory * MEMORY_PRICE


def make_rows() -> list[dict[str, object]]:
    """One row for each hour of each deployment."""
    chance = random.Random(1206)
    rows: list[dict[str, object]] = []
    for day in (FIRST + timedelta(days=number) for number in range(DAYS)):
        for deployment in DEPLOYMENTS:
            for hour in range(24):
                used = find_load(deployment, day, hour, chance.uniform(0.96, 1.04))
                ruled = count_replicas(deployment, used, HOUSE_TARGET)
                agreed = deployment.name == "payments"
                own = count_replicas(deployment, used, deployment.target, by_memory=deployment.by_memory)
                rows.append(
                    {
                        "date": day,
                        "hour": hour,
                        "deployment": deployment.name,
                        "cores_used": used,
                        "replicas": own if agreed or day >= CHANGED else ruled,
                        "replicas_by_the_rule": own if agreed else ruled,
                        "cost": find_price(deployment),
                    }
                )
    for row in rows:
        row["cost"] = round(row["cost"] * row["replicas"], 4)
    return rows


def find_excess(rows: list[dict[str, object]], names: tuple[str, ...], *, beyond_rule: bool = True) -> float:
    """Dollars that deployments cost on the alert's day, all of them or those beyond the rule."""
    prices = {deployment.name: find_price(deployment) for deployment in DEPLOYMENTS}
    mine = [row for row in rows if row["date"] == ALERT_DAY and row["deployment"] in names]
    return round(
        sum((row["replicas"] - beyond_rule * row["replicas_by_the_rule"]) * prices[row["deployment"]] for row in mine),
        2,
    )


def make_digest(rows: list[dict[str, object]]) -> str:
    """The autoscalers, the cost by day, and the hours of the alert's day."""
    text = ["| deployment | CPU request | memory request in GiB | min | max | target | GiB in use |", "|" + "---|" * 7]
    for one in DEPLOYMENTS:
        target = f"{'memory' if one.by_memory else 'CPU'} {one.target} %"
        text.append(
            f"| {one.name} | {one.cpu} | {one.memory} | {one.smallest} | {one.largest} | {target} | {one.kept:g} |"
        )
    days = sorted({row["date"] for row in rows})
    text += ["", f"| cost of a day in $ | {' | '.join(f'{day:%d %b}' for day in days)} |", "|" + "---|" * (1 + DAYS)]
    for one in DEPLOYMENTS:
        costs = [
            sum(row["cost"] for row in rows if (row["deployment"], row["date"]) == (one.name, day)) for day in days
        ]
        text.append(f"| {one.name} | {' | '.join(f'{cost:.2f}' for cost in costs)} |")
    hours = " | ".join(f"{hour:02}" for hour in range(24))
    text += ["", f"| {ALERT_DAY:%d %b}, hour | {hours} |", "|" + "---|" * 25]
    for one in DEPLOYMENTS:
        mine = [row for row in rows if row["date"] == ALERT_DAY and row["deployment"] == one.name]
        text.append(f"| {one.name}: cores in use | {' | '.join(str(row['cores_used']) for row in mine)} |")
        text.append(f"| {one.name}: replicas | {' | '.join(str(row['replicas']) for row in mine)} |")
    return "\n".join(text)


def make_candidates(rows: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    """The truth, and what somebody answers who blames the wrong thing or counts the wrong hours."""

    def answer(*names: str, excess: float) -> dict[str, object]:
        return {
            "resources": [{"name": name, "type": "HorizontalPodAutoscaler"} for name in names],
            "excess": excess,
        }

    truth = answer(*BLAMED, excess=find_excess(rows, BLAMED))
    everybody = tuple(one.name for one in DEPLOYMENTS)
    before = FIRST + timedelta(days=3)
    growth = sum(row["cost"] * ((row["date"] == ALERT_DAY) - (row["date"] == before)) for row in rows)
    wrong = {
        "biggest-spender": answer("checkout", excess=find_excess(rows, ("checkout",), beyond_rule=False)),
        "whole-bill": answer(*BLAMED, excess=find_excess(rows, everybody, beyond_rule=False)),
        "whole-growth": answer(*BLAMED, excess=round(growth, 2)),
        "whole-cost-of-the-two": answer(*BLAMED, excess=find_excess(rows, BLAMED, beyond_rule=False)),
        "overlooks-memory": answer("catalog", excess=find_excess(rows, ("catalog",))),
        "blames-the-agreed-one": answer(*BLAMED, "payments", excess=truth["excess"]),
        "blames-idle-replicas": answer(*BLAMED, "gateway", excess=truth["excess"]),
        "symptom": {**truth, "resources": [{"name": name, "type": "Deployment"} for name in BLAMED]},
    }
    return {
        "truth.json": truth,
        "solution/answer.json": truth,
        **{f"counterexamples/{name}.json": given for name, given in wrong.items()},
    }


def make_files() -> dict[str, str]:
    """All that is derived, by file name."""
    rows = make_rows()
    table = io.StringIO()
    writer = csv.DictWriter(table, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    prompt = (HERE / "prompt.md.j2").read_text()
    head, _, rest = prompt.partition("{% block table %}\n")
    tail = rest.partition("{% endblock %}")[2]
    prompt = f"{head}{{% block table %}}\n{make_digest(rows)}\n{{% endblock %}}{tail}"
    answers = {name: json.dumps(answer, indent=2) + "\n" for name, answer in make_candidates(rows).items()}
    return {"table.csv": table.getvalue(), "prompt.md.j2": prompt, **answers}


def main() -> None:
    """Write the files, or compare them."""
    for name, text in make_files().items():
        path = HERE / name
        if "--check" not in sys.argv:
            path.write_text(text)
        elif path.read_text() != text:
            sys.exit(f"{path} is not what {Path(__file__).name} makes: run it")


if __name__ == "__main__":
    main()
