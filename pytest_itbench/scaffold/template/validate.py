"""Checks of the hosts after the candidate was applied; arguments are hosts by name."""


def check_notice_holds_the_text(web):
    """The notice says what was asked for."""
    notice = web.file("/etc/notice")
    assert notice.exists, "/etc/notice does not exist on web"
    assert notice.content_string.strip() == "Maintenance on Sunday, 02:00 UTC"


def check_notice_belongs_to_root(web):
    """Nobody else can change the notice."""
    notice = web.file("/etc/notice")
    assert (notice.user, notice.group) == ("root", "root")


def check_notice_can_be_read(web):
    """Everyone can read the notice."""
    assert web.file("/etc/notice").mode == 0o644


def check_other_hosts_are_untouched(db):
    """A host outside the group got nothing."""
    assert not db.file("/etc/notice").exists, "/etc/notice exists on db"
