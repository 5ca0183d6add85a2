# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The handbook is published on port 80, and the intranet beside it is as it was."""

HANDBOOK = "docs.example.test"
INTRANET_CONF = """# Kept by the intranet team.
server {
    listen 8080;
    server_name _;
    root /srv/www/intranet;
    add_header X-Served-By intranet;
}
"""


def ask(host, path, name=HANDBOOK, port=80):
    """Status, headers (names in lower case) and body of an answer; an empty name sends no host name at all."""
    header = f"-H 'Host: {name}'" if name else "--http1.0 -H Host:"
    ran = host.run(f"curl -s -i --max-time 5 {header} http://127.0.0.1:{port}{path}")
    assert ran.rc == 0, f"no answer on port {port} for host name {name!r}: curl exit status {ran.rc}"
    head, _, body = ran.stdout.replace("\r\n", "\n").partition("\n\n")
    first, *lines = head.split("\n")
    headers = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, body


def check_configuration_is_valid(web):
    """What lies in /etc/nginx is a configuration that nginx accepts."""
    ran = web.run("nginx -t")
    assert ran.rc == 0, f"nginx -t: {ran.stderr.strip()}"


def check_content(web):
    """Directory and page exist with the wanted owner and modes."""
    directory, page = web.file("/srv/www/docs"), web.file("/srv/www/docs/index.html")
    assert directory.is_directory, "/srv/www/docs is not a directory"
    seen = (directory.user, directory.group, oct(directory.mode))
    assert seen == ("root", "root", "0o755"), f"/srv/www/docs: {seen}"
    assert page.exists, "/srv/www/docs/index.html does not exist"
    assert page.mode == 0o644, f"index.html has mode {page.mode:o}"
    assert page.content_string.strip() == "Staff handbook", f"index.html holds {page.content_string!r}"


def check_handbook_is_served(web):
    """The running nginx serves the page under its host name."""
    status, _, body = ask(web, "/")
    assert status == 200, f"status {status}"
    assert body.strip() == "Staff handbook", f"the page is {body[:200]!r}"


def check_header_on_every_answer(web):
    """X-Frame-Options is on good answers, redirects and errors."""
    for path, expected in (("/", 200), ("/no-such-page", 404), ("/old/a.html", 301)):
        status, headers, _ = ask(web, path)
        assert status == expected, f"{path}: status {status}, expected {expected}"
        seen = headers.get("x-frame-options", "")
        assert seen.upper() == "DENY", f"{path} (status {status}): X-Frame-Options is {seen!r}"


def check_old_paths_are_redirected(web):
    """Below /old everything moves permanently to the same path without it."""
    for path, target in (("/old/guide.html", "/guide.html"), ("/old/hr/leave.html", "/hr/leave.html")):
        status, headers, _ = ask(web, path)
        assert status == 301, f"{path}: status {status}"
        seen = headers.get("location", "")
        assert seen in (target, f"http://{HANDBOOK}{target}"), f"{path} is sent to {seen!r}"


def check_other_names_get_404(web):
    """Port 80 answers to no other host name."""
    for name in ("other.example.test", "localhost", "127.0.0.1", "web", ""):
        status, _, body = ask(web, "/", name)
        assert status == 404, f"host name {name or '(none)'}: status {status}, {body[:80]!r}"


def check_requests_are_logged(web):
    """A request for the handbook appears in its own log."""
    ask(web, "/seen-by-the-log")
    log = web.file("/var/log/nginx/docs.access.log")
    assert log.exists, "/var/log/nginx/docs.access.log does not exist"
    assert "/seen-by-the-log" in log.content_string, "the request is not in /var/log/nginx/docs.access.log"


def check_intranet_answers_as_before(web):
    """The intranet's page and headers are what they were."""
    status, headers, body = ask(web, "/", "intranet.example.test", 8080)
    assert status == 200, f"status {status}"
    assert "room plan" in body, f"the page is {body[:200]!r}"
    assert headers.get("x-served-by") == "intranet", f"headers are {headers}"
    assert "x-frame-options" not in headers, "the intranet's answers have got the header X-Frame-Options"


def check_intranet_files_are_untouched(web):
    """The other team's files hold what they held."""
    seen = web.file("/etc/nginx/conf.d/intranet.conf").content_string
    assert seen == INTRANET_CONF, f"/etc/nginx/conf.d/intranet.conf is now {seen!r}"
    page = web.file("/srv/www/intranet/index.html").content_string
    assert page == "<p>Intranet: canteen, room plan, telephone list</p>\n", f"the intranet's page is now {page!r}"
