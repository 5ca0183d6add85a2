"""Checks of the shop, of the kinds that scenarios have: canary-of-the-validators."""

from testinfra.host import Host


def check_user_exists(web: Host) -> None:
    """The shop's user is there."""
    assert web.user("shop").exists, "there is no user shop"
    found = web.run("getent passwd shop")
    assert found.rc == 0, f"getent does not find the user: {found.stdout}{found.stderr}"
    assert found.stdout.startswith("shop:"), f"getent finds {found.stdout!r}"


def check_settings(web: Host) -> None:
    """The settings are as asked for."""
    settings = web.file("/etc/shop/shop.conf")
    assert settings.is_file, "/etc/shop/shop.conf is no file"
    assert not settings.is_symlink, "/etc/shop/shop.conf is a link"
    assert settings.content_string == "port=8080\nstate=open\n", f"the settings are {settings.content_string[:2000]}"


def check_settings_are_private(web: Host) -> None:
    """Only the shop may read its settings."""
    settings = web.file("/etc/shop/shop.conf")
    found = (settings.user, settings.group, settings.mode)
    assert found == ("root", "shop", 0o640), f"the settings' owner, group and mode are {found}"


def check_version(web: Host) -> None:
    """The host's own command says the version."""
    told = web.run("/usr/local/bin/shop-version")
    assert (told.rc, told.stdout) == (0, "shop 3.1\n"), f"the command says {told.rc} {told.stdout} {told.stderr}"


def check_customers_are_served(web: Host) -> None:
    """The shop answers."""
    page = web.run("wget -q -O - -T 2 http://127.0.0.1:8080/")
    assert page.stdout == "the shop is open\n", f"the shop answers {page.stdout}{page.stderr}"


def check_shop_is_not_root(web: Host) -> None:
    """The server runs, and as its own user."""
    owner = web.run("stat -c %U /proc/$(cat /run/shopd.pid)").stdout.strip()
    assert owner == "shop", f"the server runs as {owner or 'nobody: it does not run'}"
