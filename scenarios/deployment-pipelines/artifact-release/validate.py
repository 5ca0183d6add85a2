# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The new release runs with the shared settings; the history holds the three highest versions."""

RELEASES = "/srv/shop/releases"
NEW = f"{RELEASES}/2.10.0"
SETTINGS = "/srv/shop/shared/settings.ini"


def check_program_in_place(host):
    """The archive is unpacked without its top directory, and the program can be run."""
    names = host.run(f"find {NEW} -mindepth 1 -maxdepth 1 | sort").stdout.split()
    assert host.file(f"{NEW}/bin/shop").is_file, f"there is no {NEW}/bin/shop; {NEW} holds {names}"
    assert host.file(f"{NEW}/bin/shop").mode & 0o111 == 0o111, (
        f"bin/shop has the mode {host.file(f'{NEW}/bin/shop').mode:o}"
    )
    assert host.file(f"{NEW}/VERSION").content_string == "2.10.0\n", (
        f"VERSION is not the archive's; {NEW} holds {names}"
    )


def check_release_belongs_to_shop(host):
    """User and group shop own the new release and everything in it."""
    assert host.file(NEW).is_directory, f"{NEW} is not a directory"
    foreign = host.run(
        f"/usr/bin/find {NEW} ! -type l '(' ! -user shop -o ! -group shop ')' -printf '%p %u:%g, '"
    ).stdout
    assert not foreign, f"not owned by shop:shop: {foreign}"


def check_settings_are_shared(host):
    """The release's settings are a link to the shared ones."""
    file = host.file(f"{NEW}/settings.ini")
    assert file.is_symlink, f"{NEW}/settings.ini is no symbolic link (exists: {file.exists})"
    target = host.run(f"readlink -f {NEW}/settings.ini").stdout.strip()
    assert target == SETTINGS, f"{NEW}/settings.ini leads to {target}"


def check_shared_settings_unchanged(host):
    """The shared settings have their content, owner and mode."""
    file = host.file(SETTINGS)
    assert file.content_string == "[shop]\nport = 8443\nkey = q7-Lm2-x9\n", f"{SETTINGS} holds {file.content_string!r}"
    seen = (file.user, file.group, oct(file.mode))
    assert seen == ("shop", "shop", "0o640"), f"{SETTINGS} is {seen}"


def check_current_is_new(host):
    """The link to the release in use leads to the new one."""
    assert host.file("/srv/shop/current").is_symlink, "/srv/shop/current is no symbolic link"
    target = host.run("readlink -f /srv/shop/current").stdout.strip()
    assert target == NEW, f"/srv/shop/current leads to {target}"


def check_runs_for_shop(host):
    """The user shop can run the program in use."""
    ran = host.run("/usr/bin/su -s /bin/sh -c /srv/shop/current/bin/shop shop")
    seen = (ran.stdout + ran.stderr).strip()
    assert seen == "shop 2.10.0 on port 8443", f"/srv/shop/current/bin/shop as user shop says: {seen}"


def check_history_of_three(host):
    """The three highest versions are the only directories."""
    seen = host.run(f"find {RELEASES} -mindepth 1 -maxdepth 1 -type d | sed 's,.*/,,' | sort").stdout.split()
    assert seen == ["2.10.0", "2.9.1", "2.9.12"], f"directories in {RELEASES}: {seen}"


def check_kept_releases_untouched(host):
    """The earlier releases that stay are as they were."""
    for version in ("2.9.1", "2.9.12"):
        directory = f"{RELEASES}/{version}"
        seen = host.run(
            f"cat {directory}/VERSION; readlink {directory}/settings.ini; stat -c %U:%G {directory}/bin/shop"
        )
        wanted = [version, SETTINGS, "shop:shop"]
        assert seen.stdout.split() == wanted, f"{directory}: {seen.stdout.split()}, not {wanted}"


def check_notes_kept(host):
    """The notes beside the releases are still there."""
    file = host.file(f"{RELEASES}/NOTES")
    assert file.exists, f"{RELEASES}/NOTES is gone"
    assert file.content_string == "2.9.1 was taken back on a Friday\n", f"NOTES holds {file.content_string!r}"
