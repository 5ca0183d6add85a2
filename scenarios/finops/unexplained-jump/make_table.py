# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Makes the bill (``table.csv``), its digest in the prompt, what is true of it (``truth.json``), and the candidates.

Run it after a change; with ``--check`` it only says whether the files are what it would make.
"""

from __future__ import annotations

import csv
import io
import json
import random
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
FIRST, DAYS, SHOWN = date(2025, 1, 7), 84, 14
LAST_MONTH_END = date(2025, 2, 28)
HOURS = 24
DEARER = ("g-medium", "r-xlarge")
ANOMALY_DAY, ANOMALY_ACCOUNT, ANOMALY_APPLICATION = date(2025, 3, 27), "204471", "recommender"


@dataclass(frozen=True, slots=True)
class Line:
    """What the bill has a line for each day."""

    account: str
    provider: str
    service: str
    application: str
    family: str
    price: float
    weekday: int
    weekend: int


LINES = (
    Line("204471", "Nimbus", "compute", "storefront", "c-large", 0.34, 22, 16),
    Line("204471", "Nimbus", "compute", "recommender", "g-medium", 1.12, 6, 6),
    Line("204471", "Nimbus", "compute", "ledger", "m-large", 0.41, 8, 8),
    Line("204471", "Nimbus", "compute", "ledger", "m-xlarge", 0.79, 0, 0),
    Line("204471", "Nimbus", "batch", "invoices", "c-xlarge", 0.68, 1, 1),
    Line("204471", "Nimbus", "databases", "storefront", "r-xlarge", 1.05, 4, 4),
    Line("204471", "Nimbus", "log-storage", "platform", "l-small", 0.09, 37, 31),
    Line("318850", "Nimbus", "compute", "search", "c-large", 0.34, 12, 10),
    Line("318850", "Nimbus", "compute", "reports", "m-large", 0.41, 5, 1),
    Line("318850", "Nimbus", "batch", "payroll", "c-xlarge", 0.68, 1, 1),
    Line("318850", "Nimbus", "databases", "search", "r-xlarge", 1.05, 6, 6),
    Line("318850", "Nimbus", "log-storage", "platform", "l-small", 0.09, 18, 12),
    Line("576203", "Stratus", "compute", "training", "gpu-8", 18.60, 2, 2),
    Line("576203", "Stratus", "compute", "labelling", "std-4", 0.21, 14, 3),
    Line("576203", "Stratus", "databases", "features", "mem-8", 0.92, 3, 3),
    Line("576203", "Stratus", "log-storage", "platform", "log-1", 0.07, 21, 9),
)


def count_instances(line: Line, day: date, noise: int, *, anomaly: bool) -> int:
    """How many ran that day: the usual number, what the notes explain, and the anomaly."""
    count = line.weekend if day.weekday() >= 5 else line.weekday
    if count > 10:
        count += noise
    if line.application == "ledger" and day >= date(2025, 3, 24):  # a migration: both fleets for three days
        count = 5 if line.family == "m-xlarge" else 8 if day <= date(2025, 3, 26) else 0
    if line.service == "batch" and (day + timedelta(days=1)).day == 1:
        count += 24 if line.application == "invoices" else 9
    if line.application == "labelling" and date(2025, 3, 20) <= day <= date(2025, 3, 21):
        count += 12  # a campaign that the notes announce
    if anomaly and day in (ANOMALY_DAY, ANOMALY_DAY + timedelta(days=1)) and line.account == ANOMALY_ACCOUNT:
        count += {ANOMALY_APPLICATION: 11, "platform": 11}.get(line.application, 0)  # each instance writes a log
    return count


def find_price(line: Line, day: date) -> float:
    """Dollars for an hour of an instance; two families become dearer."""
    return round(line.price * (1.2 if line.family in DEARER and day >= ANOMALY_DAY else 1.0), 4)


def make_rows() -> tuple[list[dict[str, object]], float]:
    """The bill, and what the cause of the anomaly cost on its first day beyond what it would have."""
    chance = random.Random(4471)
    rows: list[dict[str, object]] = []
    excess = 0.0
    for day in (FIRST + timedelta(days=number) for number in range(DAYS)):
        for line in LINES:
            noise = chance.choice((-1, 0, 0, 1))
            count, price = count_instances(line, day, noise, anomaly=True), find_price(line, day)
            rows.append(
                {
                    "date": day,
                    "account": line.account,
                    "provider": line.provider,
                    "service": line.service,
                    "application": line.application,
                    "instance_family": line.family,
                    "price_per_hour": price,
                    "instances": count,
                    "unblended_cost": round(count * price * HOURS, 2),
                }
            )
            if day == ANOMALY_DAY and line.application == ANOMALY_APPLICATION:
                usual = count_instances(line, day, noise, anomaly=False)
                excess += (count - usual) * price * HOURS
    return rows, round(excess, 2)


def make_digest(rows: list[dict[str, object]]) -> str:
    """Numbers of instances by day, prices, and what each account cost."""
    shown = [FIRST + timedelta(days=number) for number in range(DAYS - SHOWN, DAYS)]
    days = [LAST_MONTH_END, *shown]
    heads = " | ".join(f"{day:%d %b}" for day in days)
    text = [f"| account | service | application | family | $/h | usual Mon-Fri | usual Sat-Sun | {heads} |"]
    text.append("|" + "---|" * (7 + len(days)))
    for line in LINES:
        mine = {row["date"]: row for row in rows if _is_of(row, line)}
        before = [day for day in mine if day < shown[0] and day != LAST_MONTH_END]
        usual = [
            median(mine[day]["instances"] for day in before if (day.weekday() >= 5) is weekend)
            for weekend in (False, True)
        ]
        counts = " | ".join(str(mine[day]["instances"]) for day in days)
        names = f"{line.account} | {line.service} | {line.application} | {line.family} | {line.price:.2f}"
        text.append(f"| {names} | {usual[0]:g} | {usual[1]:g} | {counts} |")
    text += ["", f"| cost of a day in $ | {heads} |", "|" + "---|" * (1 + len(days))]
    for account in dict.fromkeys(line.account for line in LINES):
        sums = [
            sum(row["unblended_cost"] for row in rows if (row["account"], row["date"]) == (account, d)) for d in days
        ]
        text.append(f"| {account} | {' | '.join(f'{total:.0f}' for total in sums)} |")
    return "\n".join(text)


def _is_of(row: dict[str, object], line: Line) -> bool:
    names = ("account", "service", "application")
    return row["instance_family"] == line.family and all(row[name] == getattr(line, name) for name in names)


def make_counterexamples(truth: dict[str, object], rows: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    """What somebody answers who takes the wrong thing for the anomaly, or the right thing at the wrong price."""

    def add(day: date, **names: str) -> float:
        mine = [row for row in rows if row["date"] == day and all(row[name] == names[name] for name in names)]
        return round(sum(row["unblended_cost"] for row in mine), 2)

    def blame(name: str, family: str, **others: object) -> dict[str, object]:
        return {**truth, "resources": [{"name": name, "type": family}], **others}

    month_end, eve = date(2025, 3, 31), ANOMALY_DAY - timedelta(days=1)
    jobs = add(month_end, account=ANOMALY_ACCOUNT, application="invoices")
    growth = add(ANOMALY_DAY, account=ANOMALY_ACCOUNT) - add(ANOMALY_DAY - timedelta(days=7), account=ANOMALY_ACCOUNT)
    before = add(eve, application=ANOMALY_APPLICATION)
    return {
        "counterexamples/biggest-spender.json": blame(
            "training", "gpu-8", account="576203", excess=add(ANOMALY_DAY, application="training")
        ),
        "counterexamples/month-end.json": blame("invoices", "c-xlarge", date=f"{month_end}", excess=jobs),
        "counterexamples/symptom.json": blame("platform", "l-small", excess=round(11 * 0.09 * HOURS, 2)),
        "counterexamples/whole-growth.json": {**truth, "excess": round(growth, 2)},
        "counterexamples/whole-cost.json": {**truth, "excess": add(ANOMALY_DAY, application=ANOMALY_APPLICATION)},
        "counterexamples/price-rise-too.json": {
            **truth,
            "excess": round(add(ANOMALY_DAY, application=ANOMALY_APPLICATION) - before, 2),
        },
        "counterexamples/old-price.json": {**truth, "excess": round(11 * 1.12 * HOURS, 2)},
        "counterexamples/blames-the-price-too.json": {
            **truth,
            "resources": [*truth["resources"], {"name": "storefront", "type": "r-xlarge"}],
        },
    }


def make_files() -> dict[str, str]:
    """All that is derived, by file name."""
    rows, excess = make_rows()
    table = io.StringIO()
    writer = csv.DictWriter(table, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    cause = [{"name": ANOMALY_APPLICATION, "type": "g-medium"}]
    truth = {"date": f"{ANOMALY_DAY}", "account": ANOMALY_ACCOUNT, "resources": cause, "excess": excess}
    prompt = (HERE / "prompt.md.j2").read_text()
    head, _, rest = prompt.partition("{% block table %}\n")
    tail = rest.partition("{% endblock %}")[2]
    prompt = f"{head}{{% block table %}}\n{make_digest(rows)}\n{{% endblock %}}{tail}"
    candidates = {"truth.json": truth, "solution/answer.json": truth, **make_counterexamples(truth, rows)}
    answers = {name: json.dumps(answer, indent=2) + "\n" for name, answer in candidates.items()}
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
