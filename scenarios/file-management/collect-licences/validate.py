# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Each licence has its copy in the registry, with a manifest; originals and other papers are as they were."""

PLACE = "/srv/licences"
ORIGINALS = {"app1": "/opt/acme/licence.bin", "app2": "/srv/acme data/app2.bin"}


def licence_of(name):
    """The bytes of a host's licence."""
    return b"ACME\0\1" + name.encode() + b"\0\xff\xfe\x80\xc3\x28{{ seats }}\r\n\n"


def describe(file):
    """Owner, group, mode and bytes of a file."""
    assert file.exists, f"{file.path} does not exist"
    return file.user, file.group, f"{file.mode:o}", file.content


def check_copies_are_whole(office):
    """Each copy has the bytes of its host's licence."""
    for name in ORIGINALS:
        seen = describe(office.file(f"{PLACE}/{name}.lic"))[3]
        assert seen == licence_of(name), f"{name}.lic holds {seen!r}"


def check_copies_keep_their_modes(hosts):
    """Each copy has the mode of its original."""
    for name, path in ORIGINALS.items():
        wanted, seen = (
            describe(file)[2] for file in (hosts[name].file(path), hosts["office"].file(f"{PLACE}/{name}.lic"))
        )
        assert seen == wanted, f"{name}.lic has mode {seen}, its original {wanted}"


def check_copies_belong_to_keeper(office):
    """Owner and group of the copies."""
    for name in ORIGINALS:
        seen = describe(office.file(f"{PLACE}/{name}.lic"))[:2]
        assert seen == ("keeper", "keeper"), f"{name}.lic belongs to {seen}"


def check_manifest_lists_the_copies(office):
    """The manifest has the SHA-256 digest of each copy, in order, and nothing else; keeper alone may change it."""
    seen = describe(office.file(f"{PLACE}/SHA256SUMS"))
    assert seen[:3] == ("keeper", "keeper", "640"), f"SHA256SUMS: {seen[:3]}"
    digests = {name: office.run(f"sha256sum < {PLACE}/{name}.lic").stdout[:64] for name in ORIGINALS}
    wanted = [f"{digest}  {name}.lic" for name, digest in digests.items()]
    lines = seen[3].decode().splitlines()
    assert lines == wanted, f"SHA256SUMS holds {lines}, not {wanted}"


def check_manifest_can_be_verified(office):
    """The tool that such manifests are made for accepts it, read in the directory."""
    ran = office.run(f"cd {PLACE} && sha256sum -c SHA256SUMS")
    assert ran.rc == 0, f"sha256sum -c: {ran.stdout.strip()} {ran.stderr.strip()}"


def check_host_without_licence_is_left_out(office):
    """There is no copy for the host that has no licence."""
    found = office.run(f"find {PLACE} -name '*app3*'").stdout.split()
    assert not found, f"there is {found}"


def check_originals_untouched(hosts):
    """Licences and settings on the applications' hosts are as they were."""
    owners = {"app1": ("root", "root", "600"), "app2": ("acme", "acme", "440")}
    for name, path in ORIGINALS.items():
        seen = describe(hosts[name].file(path))
        assert seen == (*owners[name], licence_of(name)), f"{name}: {path} is {seen}"
    last_year = describe(hosts["app2"].file("/opt/acme/licence.bin"))
    assert last_year == ("root", "root", "600", b"ACME\0licence of last year\n"), f"app2: {last_year}"
    for name in ("app1", "app2", "app3"):
        line = f"licence_file = {ORIGINALS[name]}\n" if name in ORIGINALS else ""
        text = f"# Settings of acme\n#licence_file = /opt/acme/sample.bin\ninstance = {name}\n{line}log_level = info\n"
        seen = describe(hosts[name].file("/etc/acme/acme.conf"))
        assert seen == ("root", "root", "644", text.encode()), f"{name}: acme.conf is {seen}"


def check_other_papers_untouched(office):
    """What else lies in the registry is as it was, and so is the directory."""
    for name, content in (
        ("README", b"Ask the registry before you copy anything.\n"),
        ("retired7.lic", b"ACME\0retired\xff\n"),
        ("2023/app1.lic", b"ACME\0of 2023\xff\n"),
    ):
        seen = describe(office.file(f"{PLACE}/{name}"))
        assert seen == ("keeper", "keeper", "640", content), f"{name} is {seen}"
    directory = office.file(PLACE)
    seen = (directory.user, directory.group, f"{directory.mode:o}")
    assert seen == ("keeper", "keeper", "750"), f"{PLACE} is {seen}"


def check_nothing_left_behind(hosts):
    """No host has temporary files or backups of what was collected."""
    wanted = {"2023", "README", "SHA256SUMS", "app1.lic", "app2.lic", "retired7.lic"}
    more = set(hosts["office"].run(f"ls -A {PLACE}").stdout.splitlines()) - wanted
    assert not more, f"{PLACE} also holds {sorted(more)}"
    places = "/tmp /var/tmp /dev/shm /root /home/ops /srv /opt /etc/acme"
    allowed = {
        "office": {f"{PLACE}/app1.lic", f"{PLACE}/app2.lic"},
        "app1": {ORIGINALS["app1"]},
        "app2": {ORIGINALS["app2"]},
    }
    for name, host in hosts.items():
        found = host.run(f"find {places} -type f -exec grep -l -F '{{{{ seats }}}}' {{}} +").stdout.splitlines()
        more = sorted(set(found) - allowed.get(name, set()))
        assert not more, f"{name}: what was collected also lies in {more}"
        found = host.run(f"find {places} -name SHA256SUMS").stdout.splitlines()
        more = sorted(set(found) - {f"{PLACE}/SHA256SUMS"})
        assert not more, f"{name}: there is also {more}"
