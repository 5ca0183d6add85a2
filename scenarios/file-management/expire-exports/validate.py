# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""What has expired is gone, and nothing else is: each file that stays holds its own path."""

ROOTS = "/srv/exports /srv/archive /srv/exports-legal"
KEEP_LIST = """# Exports that must not expire: one path a line, relative to /srv/exports.
# A path that ends with a slash stands for everything below that directory.
daily/export-20240104.csv

shop/Sales North.csv
# asked for by the auditors until further notice
audit 2024/
"""


def list_paths(host, kind):
    """Paths below the directories, of one kind as find names them."""
    return set(host.run(f"find {ROOTS} -type {kind}").stdout.splitlines())


def require_intact(host, paths, owner="exporter:exporter"):
    """These files are there with their owner, mode and content."""
    missing = sorted(set(paths) - list_paths(host, "f"))
    assert not missing, f"gone: {missing}"
    for path in paths:
        file = host.file(path)
        seen = (f"{file.user}:{file.group}", f"{file.mode:o}", file.content_string)
        assert seen == (owner, "640", f"{path}\n"), f"{path} is now {seen}"


def require_gone(host, names):
    """None of these is left below /srv/exports."""
    left = sorted({f"/srv/exports/{name}" for name in names} & list_paths(host, "f"))
    assert not left, f"still there: {left}"


def check_expired_exports_are_gone(reports):
    """Exports more than 30 days old are deleted at every depth, compressed ones too."""
    require_gone(reports, ("daily/export-20240103.csv", "daily/export-20240103.csv.gz", "2023.csv/part-1.csv"))


def check_expired_exports_with_blanks_are_gone(reports):
    """Blanks in the name of a file or of its directory do not save an expired export."""
    require_gone(reports, ("shop/Sales South.csv", "monthly figures/March 1.csv"))


def check_names_like_pinned_ones_are_gone(reports):
    """An entry of the list protects its own path, not others that only resemble it."""
    names = ("daily/export-20240104.csv.gz", "shop/export-20240104.csv", "audit 2024 drafts/figures.csv")
    require_gone(reports, names)


def check_pinned_exports_stay(reports):
    """What the list names is there, file by file and by directory."""
    names = ("daily/export-20240104.csv", "shop/Sales North.csv")
    below = ("audit 2024/figures.csv", "audit 2024/deep/totals.csv.gz")
    require_intact(reports, [f"/srv/exports/{name}" for name in (*names, *below)])


def check_recent_exports_stay(reports):
    """The time of the last change counts, not the date in the name."""
    names = ("export-20230901.csv", "export-20240401.csv", "export-20240402.csv.gz")
    require_intact(reports, [f"/srv/exports/daily/{name}" for name in names])


def check_directories_and_links_stay(reports):
    """Directories stay, empty ones and those with an export's name too; links lead where they led."""
    names = ("daily", "shop", "monthly figures", "audit 2024/deep", "audit 2024 drafts", "2023.csv", "empty.csv")
    missing = sorted({f"/srv/exports/{name}" for name in names} - list_paths(reports, "d"))
    assert not missing, f"directories that are gone: {missing}"
    wanted = {
        "latest.csv": "daily/export-20240402.csv.gz",
        "archive": "/srv/archive",
        "shop/summary.csv": "/srv/archive/summary.csv",
    }
    seen = {name: reports.run(f"readlink /srv/exports/{name}").stdout.strip() for name in wanted}
    assert seen == wanted, f"links now: {seen}"


def check_other_files_untouched(reports):
    """Files that are no exports stay, however old; so does the list."""
    names = ("README.txt", "daily/export-20240103.csv.bak", "daily/.upload-77.csv", "shop/Sales", "shop/exportcsv")
    require_intact(reports, [f"/srv/exports/{name}" for name in (*names, "2023.csv/notes.txt")])
    seen = reports.file("/etc/exporter/keep.list").content_string
    assert seen == KEEP_LIST, f"keep.list is now {seen!r}"


def check_archive_behind_links_untouched(reports):
    """What links lead to belongs to others."""
    require_intact(reports, ["/srv/archive/1999.csv", "/srv/archive/summary.csv"], owner="root:root")


def check_neighbour_untouched(reports):
    """The directory whose name begins alike is no part of the exports."""
    require_intact(reports, ["/srv/exports-legal/contract.csv"], owner="root:root")
