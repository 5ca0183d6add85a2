# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""After two releases and what happened between them, each migration was applied once, in order and as depot."""

from pathlib import Path

MIGRATIONS = Path(__file__).with_name("environment") / "migrations"
PLACE = "/srv/depot/migrations"
FIRST = {4: "4-wider-shelves.sql", 9: "9-prices-in-cents.sql", 10: "10-second-row.sql", 11: "11-deliveries.sql"}
SECOND = {8: "8-shelf-for-returns.sql", 12: "12-fire-rules.sql"}
EARLIER = [
    "1|1-articles.sql|2026-01-12 09:00:00+00",
    "2|2-shelves.sql|2026-01-12 09:00:00+00",
    "3|3-first-stock.sql|2026-02-03 17:30:00+00",
]


def ask(host, query, database="depot", user="postgres"):
    """The lines that a query gives."""
    ran = host.run(
        f'PGTZ=UTC runuser -u {user} -- psql -X -q -A -t -v ON_ERROR_STOP=1 -d {database} -c "{query}" </dev/null'
    )
    assert ran.rc == 0, f"{query} as {user} in {database}: {ran.stderr.strip()}"
    return ran.stdout.splitlines()


def read_record(host):
    """What is on record now, in the order of the numbers."""
    return ask(host, "SELECT number, file, applied_at FROM applied_migrations ORDER BY number")


def check_articles_are_right(db1):
    """Prices were turned into cents once, and no article is missing; what was sold between is as it was entered."""
    seen = ask(db1, "SELECT name, price FROM article ORDER BY name")
    assert seen == ["bolt|200", "hinge|700", "lock|3100", "washer|15"], f"articles: {seen}"


def check_first_run_kept_the_order(db1):
    """After the first release the shelves were widened first and doubled then."""
    seen = db1.file("/var/lib/witness/shelves").content_string.split()
    assert seen == ["A|60", "B|90"], f"shelves after the first run: {seen}, not A with (20 + 10) * 2 and B likewise"


def check_late_migrations_applied(db1):
    """At the second release both new migrations were applied, the late one first, and none of the others again."""
    seen = ask(db1, "SELECT label, capacity FROM shelf ORDER BY label")
    assert seen == ["A|58", "B|88", "C|6", "returns|38"], f"shelves: {seen}"


def check_each_on_record_once(db1):
    """Every migration that was applied is on record, once, under its number and file name."""
    seen = [line.rsplit("|", 1)[0] for line in read_record(db1)[3:]]
    assert seen == [f"{number}|{file}" for number, file in sorted((FIRST | SECOND).items())], f"on record: {seen}"


def check_earlier_record_untouched(db1):
    """What was on record before each run still is, with its time."""
    first = db1.file("/var/lib/witness/record").content_string.splitlines()
    assert first[:3] == EARLIER, f"after the first run the record began with {first[:3]}"
    assert len(first) > 3, "nothing was on record after the first run but what had been before"
    missing = [line for line in first if line not in read_record(db1)]
    assert not missing, f"no longer on record as after the first run: {missing}"


def check_tables_belong_to_depot(db1):
    """The role depot owns all tables and can use them."""
    query = "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    seen = ask(db1, query)
    assert seen == [f"{name}|depot" for name in ("applied_migrations", "article", "delivery", "shelf")], (
        f"tables and owners: {seen}"
    )
    deliveries = ask(db1, "SELECT id, article FROM delivery", user="depot")
    assert deliveries == ["1|bolt"], f"deliveries: {deliveries}"


def check_other_database_untouched(db1):
    """The ledger has its table with its rows, and no other."""
    tables = ask(db1, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database="ledger")
    assert tables == ["article"], f"tables of ledger: {tables}"
    seen = ask(db1, "SELECT name, price FROM article ORDER BY name", database="ledger")
    assert seen == ["bolt|2", "rope|12"], f"articles of ledger: {seen}"


def check_files_untouched(db1):
    """The directory holds the same files with the same contents."""
    seen = set(db1.run(f"find {PLACE} -type f | sed 's,.*/,,'").stdout.split())
    wanted = {file.name for file in MIGRATIONS.iterdir()} | set(SECOND.values())
    assert seen == wanted, f"{PLACE} lacks {sorted(wanted - seen)} and has {sorted(seen - wanted)} besides"
    for file in MIGRATIONS.iterdir():
        path = f"{PLACE}/drafts/{file.name}" if file.name.startswith("13-") else f"{PLACE}/{file.name}"
        text = file.read_text("utf-8")
        if file.name.startswith("9-"):
            text = f"-- Prices were whole euros before.\n{text}"
        assert db1.file(path).exists, f"{path} is gone"
        assert db1.file(path).content_string == text, f"{path} was changed"
