# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""nginx serves the list's enabled sites, with their names and limits, and nothing else."""

SERVED = {
    "docs": ("docs.sites.example", "handbook.example", "www.handbook.example"),
    "shop": ("shop.sites.example",),
    "wiki": ("wiki.sites.example",),
}
LIMITS = {"docs": 1024**2, "shop": 8 * 1024**2, "wiki": 64 * 1024}
GONE = ("forum.sites.example", "talk.example", "blog.sites.example")
SITES = "/etc/nginx/conf.d/sites.conf"


def fetch(host, name, more=""):
    """Status and body of a site's start page."""
    ran = host.run(f"curl -s -m 5 -w '%{{http_code}}' {more} -H 'Host: {name}' http://127.0.0.1:8080/")
    return ran.stdout[-3:], ran.stdout[:-3].strip()


def check_enabled_sites_served(host):
    """Each enabled site answers under its own name."""
    for site, names in SERVED.items():
        seen = fetch(host, names[0])
        assert seen == ("200", f"this is the {site}"), f"{names[0]} answers {seen}"


def check_aliases_served(host):
    """Each enabled site answers under its aliases."""
    for name in SERVED["docs"][1:]:
        seen = fetch(host, name)
        assert seen == ("200", "this is the docs"), f"{name} answers {seen}"


def check_disabled_sites_not_served(host):
    """Sites that are switched off or not in the list are left to the catch-all."""
    for name in GONE:
        seen = fetch(host, name)
        assert seen == ("404", "no such site"), f"{name} answers {seen}"


def check_unknown_names_left_to_catch_all(host):
    """Other names, among them sub-domains and bare names, are served by no site."""
    for name in ("elsewhere.example", "docs", "x.docs.sites.example", "sites.example"):
        seen = fetch(host, name)
        assert seen == ("404", "no such site"), f"{name} answers {seen}"


def check_upload_limits(host):
    """A body of the limit's size is accepted, one byte more is refused."""
    for site, limit in LIMITS.items():
        name = SERVED[site][0]
        for size, refused in ((limit, False), (limit + 1, True)):
            # nginx looks at the announced length before it looks at the method, which static files refuse.
            announced = f"-X POST -H 'Content-Length: {size}'"
            status, _ = fetch(host, name, announced)
            assert status in ("200", "405", "413"), f"{name} answers a body of {size} bytes with {status}"
            assert (status == "413") is refused, f"{name} answers a body of {size} bytes with {status}"


def check_configuration_valid(host):
    """nginx accepts what lies on disk without a warning about its names."""
    ran = host.run("nginx -t")
    assert ran.rc == 0, f"nginx -t: {ran.stderr.strip()}"
    assert "conflicting server name" not in ran.stderr, f"nginx -t: {ran.stderr.strip()}"


def check_file_access(host):
    """Owner and mode of the rendered file, and the hand-written text is gone."""
    file = host.file(SITES)
    seen = (file.user, file.group, oct(file.mode))
    assert seen == ("root", "root", "0o644"), f"{SITES} is {seen}"
    assert "blog.sites.example" not in file.content_string, f"{SITES} still holds hand-written sites"


def check_given_files_untouched(host):
    """The list and the catch-all are as they were."""
    wanted = {
        "/srv/hosting/sites.json": "905a7eeec50f6523b110c0f3725602735d62cd4bf2c77f5b3a5d6922616c513d",
        "/etc/nginx/conf.d/catch-all.conf": "4599441e0186ef6704630e2d5c940abb5928a471c5eb64170c8743ced6804c93",
    }
    for path, digest in wanted.items():
        seen = host.run(f"sha256sum {path}").stdout.split()
        assert seen[:1] == [digest], f"{path} was changed"
