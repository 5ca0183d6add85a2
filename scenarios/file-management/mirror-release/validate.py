# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The release that build calls the latest is on both mirrors, and nothing else has changed."""

VERSION = "1.9.4"
ARCHIVE = f"widget-{VERSION}.tar.gz"


def on_mirrors(hosts):
    """The mirrors by name."""
    return [(name, host) for name, host in hosts.items() if name.startswith("mirror-")]


def list_directory(host, path):
    """The names in a directory, sorted."""
    return sorted(host.run(f"ls -A {path}").stdout.split())


def check_build_is_untouched(build):
    """The build host holds what it held."""
    names = [f"widget-{version}.tar.gz" for version in ("1.8.0", VERSION, "1.10.0-rc1")]
    seen = list_directory(build, "/srv/releases")
    assert seen == sorted([*names, "LATEST", "SHA256SUMS"]), f"/srv/releases holds {seen}"
    assert build.file("/srv/releases/LATEST").content_string == f"{VERSION}\n", "LATEST was changed"
    ran = build.run("cd /srv/releases && sha256sum -c SHA256SUMS")
    assert ran.rc == 0, f"digests differ: {ran.stdout.strip()}"


def check_pool_copies_are_whole(hosts):
    """Each mirror has the archive with the digest that build states."""
    lines = hosts["build"].file("/srv/releases/SHA256SUMS").content_string.splitlines()
    digest = next(line.split()[0] for line in lines if line.endswith(ARCHIVE))
    for name, host in on_mirrors(hosts):
        copy = host.file(f"/srv/mirror/pool/{ARCHIVE}")
        assert copy.exists, f"{name}: {copy.path} does not exist"
        assert copy.sha256sum == digest, f"{name}: {copy.path} has another digest than on build"


def check_pool_permissions(hosts):
    """The copies belong to mirror and can be read by all."""
    for name, host in on_mirrors(hosts):
        copy = host.file(f"/srv/mirror/pool/{ARCHIVE}")
        assert copy.exists, f"{name}: {copy.path} does not exist"
        seen = (copy.user, copy.group, f"{copy.mode:o}")
        assert seen == ("mirror", "mirror", "644"), f"{name}: {copy.path}: {seen}"


def check_release_is_unpacked(hosts):
    """The release's files lie in the directory of its version, and its program runs."""
    place = f"/srv/mirror/widget/{VERSION}"
    for name, host in on_mirrors(hosts):
        seen = list_directory(host, place)
        assert {"VERSION", "bin"} <= set(seen), f"{name}: {place} holds {seen}"
        ran = host.run(f"{place}/bin/widget")
        assert ran.stdout == f"widget {VERSION}\n", f"{name}: bin/widget says {ran.stdout + ran.stderr!r}"


def check_release_belongs_to_mirror(hosts):
    """The directory and everything in it have the right owner and group."""
    for name, host in on_mirrors(hosts):
        found = host.run(f"find /srv/mirror/widget/{VERSION} | xargs stat -c '%U:%G %n'").stdout.splitlines()
        assert found, f"{name}: there is no /srv/mirror/widget/{VERSION}"
        foreign = [line for line in found if not line.startswith("mirror:mirror ")]
        assert not foreign, f"{name}: {'; '.join(foreign)}"


def check_current_release_is_linked(hosts):
    """The link leads to the new directory."""
    for name, host in on_mirrors(hosts):
        link = host.file("/srv/mirror/widget/current")
        assert link.is_symlink, f"{name}: current is not a symbolic link"
        seen = host.run("readlink -f /srv/mirror/widget/current").stdout.strip()
        assert seen == f"/srv/mirror/widget/{VERSION}", f"{name}: current leads to {seen}"


def check_older_version_is_kept(hosts):
    """Version 1.8.0 stays, in the pool and unpacked."""
    for name, host in on_mirrors(hosts):
        pool = host.file("/srv/mirror/pool/widget-1.8.0.tar.gz")
        assert pool.exists, f"{name}: {pool.path} is gone"
        assert pool.content_string == "archive of version 1.8.0\n", f"{name}: {pool.path} was replaced"
        seen = host.run("cat /srv/mirror/widget/1.8.0/VERSION").stdout
        assert seen == "1.8.0\n", f"{name}: 1.8.0/VERSION holds {seen!r}"


def check_no_other_version_came(hosts):
    """The release candidate has not come to the mirrors."""
    for name, host in on_mirrors(hosts):
        found = host.run("find /srv/mirror -name '*1.10.0*'").stdout.split()
        assert not found, f"{name} has got {', '.join(found)}"


def check_other_project_is_untouched(hosts):
    """What belongs to gadget is as it was."""
    for name, host in on_mirrors(hosts):
        file = host.file("/srv/mirror/gadget/VERSION")
        assert file.exists, f"{name}: {file.path} is gone"
        seen = (file.user, file.group, file.content_string)
        assert seen == ("backup", "backup", "3.2 of another project\n"), f"{name}: {file.path}: {seen}"
