# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Who may enter the database from where is found out by logging in with the right password, and with a wrong one."""

PLACE = "/etc/postgresql/17/main/pg_hba.conf"
PASSWORDS = {
    "shop_app": "basket-4711",
    "nora": "visit-4711",
    "ada": "chart-4711",
    "bo": "sheet-4711",
    "intern": "coffee-4711",
    "postgres": "elephant-4711",
}
KEPT = """# Who may come from where. The first line that fits decides.
local   all             postgres                                peer
local   all             all                                     peer
# BEGIN backup team
host    all             keeper          192.0.2.0/24            scram-sha-256
hostssl replication     keeper          192.0.2.0/24            scram-sha-256
# END backup team
# host lines below: loopback, and what was opened for the trial
host    all             all             127.0.0.1/32            scram-sha-256
host    all             all             ::1/128                 scram-sha-256
""".splitlines()


def enter(host, role, database, password=None, server="db"):
    """Log in over the network; gives the exit status and what was answered."""
    secret = PASSWORDS[role] if password is None else password
    given = f"PGPASSWORD={secret} PGCONNECT_TIMEOUT=5"
    ran = host.run(f"{given} psql -w -h {server} -U {role} -d {database} -Atc 'SELECT current_user'")
    return ran.rc, " ".join((ran.stdout + ran.stderr).split())


def ask_server(db, question):
    """What the server answers to its own administrator; `question` holds no quotes."""
    ran = db.run(f"cd / && su postgres -s /bin/sh -c 'psql -At -c \"{question}\"'")
    assert ran.rc == 0, f"postgres cannot log in on db: {ran.stderr.strip()}"
    return ran.stdout.splitlines()


def check_shop_logs_in_from_its_host(shop1):
    """The shop reaches its database from its host."""
    rc, answer = enter(shop1, "shop_app", "shop")
    assert (rc, answer) == (0, "shop_app"), f"shop_app from shop1: {answer}"


def check_analysts_log_in_from_the_report_host(report1):
    """Members of analysts reach the reports, whoever they are."""
    for role in ("ada", "bo"):
        rc, answer = enter(report1, role, "reports")
        assert (rc, answer) == (0, role), f"{role} from report1: {answer}"


def check_intern_is_refused(hosts):
    """The intern is a member of analysts and may not come in nevertheless."""
    for name in ("report1", "shop1"):
        for database in ("reports", "shop"):
            rc, answer = enter(hosts[name], "intern", database)
            assert rc != 0, f"intern came into {database} from {name}"
            assert "pg_hba.conf" in answer, f"intern in {database} from {name} is not refused by the rules: {answer}"


def check_nobody_without_password(hosts):
    """A wrong password opens no door."""
    for name, role, database in (("shop1", "shop_app", "shop"), ("report1", "ada", "reports")):
        rc, answer = enter(hosts[name], role, database, password="guessed")
        assert rc != 0, f"{role} came into {database} from {name} with a wrong password"
        assert "password authentication failed" in answer, f"{role} from {name} is not asked for a password: {answer}"


def check_nobody_else_comes_in(hosts):
    """Every other role, database and host is refused by the rules, whatever the password."""
    refused = (
        ("report1", "shop_app", "shop"),
        ("db", "shop_app", "shop"),
        ("db", "ada", "reports"),
        ("shop1", "shop_app", "reports"),
        ("shop1", "ada", "reports"),
        ("shop1", "ada", "shop"),
        ("shop1", "postgres", "shop"),
        ("report1", "ada", "shop"),
        ("report1", "nora", "reports"),
        ("report1", "postgres", "reports"),
    )
    for name, role, database in refused:
        rc, answer = enter(hosts[name], role, database)
        assert rc != 0, f"{role} came into {database} from {name}"
        assert "pg_hba.conf" in answer, f"{role} in {database} from {name} is not refused by the rules: {answer}"


def check_file_is_sound(db):
    """The server can read its file, finds no mistake in it, and its rules ask for passwords by scram-sha-256."""
    file = db.file(PLACE)
    seen = (file.user, file.group, oct(file.mode))
    assert seen == ("postgres", "postgres", "0o640"), f"owner, group and mode of pg_hba.conf: {seen}"
    wrong = ask_server(db, "SELECT line_number, error FROM pg_hba_file_rules WHERE error IS NOT NULL")
    assert not wrong, f"mistakes in pg_hba.conf, by line: {wrong}"
    rules = ask_server(db, "SELECT type, auth_method, database FROM pg_hba_file_rules")
    weak = [rule for rule in rules if rule.startswith("host") and rule.split("|")[1] not in ("scram-sha-256", "reject")]
    assert not weak, f"rules with other methods: {weak}"


def check_local_logins_work(db):
    """On the machine itself, the administrator needs no password, and roles come in with theirs."""
    assert ask_server(db, "SELECT current_user") == ["postgres"], "peer authentication of postgres is broken"
    rc, answer = enter(db, "shop_app", "shop", server="127.0.0.1")
    assert (rc, answer) == (0, "shop_app"), f"shop_app on 127.0.0.1: {answer}"


def check_other_rules_untouched(db):
    """Comments, local lines, loopback lines and the backup team's block stand as they stood."""
    lines = db.file(PLACE).content_string.splitlines()
    kept = [line for line in lines if line in KEPT]
    assert kept == KEPT, f"of the lines that must stay there are {kept}"


def check_open_sessions_untouched(db):
    """The server is the one that ran before, so nobody's session was cut."""
    before = db.file("/root/server.before").content_string.strip()
    now = db.run("cat /run/postgresql/17-main.pid").stdout.strip()
    assert now == before, f"the server was started anew: its process was {before} and is {now or 'gone'}"
