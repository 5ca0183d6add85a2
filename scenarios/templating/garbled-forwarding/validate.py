# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""What is forwarded arrives whole, each host kept what is its own, and nothing else was touched."""

import json

FILE = "/etc/nginx/conf.d/forward.conf"
GATES = {
    "edge1": {"name": "north gate", "port": 9311, "keepalive": 4, "size": 3},
    "edge2": {"name": "harbour gate", "port": 9412, "keepalive": 8, "size": 12},
}
# Mended lines begin with >, for the reader of this file only.
WANTED = r"""
# Forwarding to the workshop. Port, name and size differ from gate to gate, do not copy this file around!
upstream workshop {
server 127.0.0.1:PORT max_fails=2;
keepalive KEEPALIVE;
}
>log_format forward escape=json '{"host":"$host","path":"$uri","status":"$status","agent":"$http_user_agent"}';
server {
listen 8000;
server_name _;
access_log /var/log/nginx/forward.log forward;
client_max_body_size SIZEm;
>rewrite ^/old/(.*)$ /new/$1 permanent;
# order numbers have four to six digits; all else is left to the workshop
location ~ "^/orders/[0-9]{4,6}$" {
return 200 "order counter of the NAME\n";
}
location / {
proxy_pass http://workshop;
proxy_http_version 1.1;
proxy_set_header Connection "";
>proxy_set_header Host $host;
>proxy_set_header X-Real-IP $remote_addr;
>proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Workshop-Gate "NAME";
sub_filter_once off;
>sub_filter '<h1>{{ site }}</h1>' '<h1>NAME</h1>';
>sub_filter '<em>{# server #}</em>' '<em>$hostname</em>';
}
}
"""
OTHERS = {
    "/etc/nginx/conf.d/intranet.conf": ("e2421dfe1b9de1ca9e8d3eebaf8b1e4a03aa63e37200941b34bc355af86ce6fd",) * 2,
    "/srv/workshop/index.html": ("609008a9d65ae4a42812103fb4d91e0293c70158dca41a0961b01765c7c4af1b",) * 2,
    "/etc/nginx/conf.d/workshop.conf": (
        "8aca2be71fd9b895f906384d151160f0b7136894a04be6a431705458e506445c",
        "b900e93eeda1d697e9deb0b879ddf7763a68b54d29667b7094175570fba402d0",
    ),
}


def take_lines(name):
    """The lines of a host's file: those that were to be mended, and the rest."""
    text = WANTED.strip()
    for key, value in GATES[name].items():
        text = text.replace(key.upper(), str(value))
    lines = text.splitlines()
    return [line[1:] for line in lines if line[0] == ">"], [line for line in lines if line[0] != ">"]


def read_lines(host):
    """The file's lines without the blanks around them, and without empty ones."""
    return [line.strip() for line in host.file(FILE).content_string.splitlines() if line.strip()]


def fetch(host, path, port=8000, more=""):
    """Status and body of a page that a visitor of orders.example asks for."""
    ran = host.run(f"curl -s -m 5 -w '%{{http_code}}' -H 'Host: orders.example' {more} http://127.0.0.1:{port}{path}")
    return ran.stdout[-3:], ran.stdout[:-3].strip()


def check_configuration_valid(hosts):
    """nginx accepts what lies on disk."""
    for name, host in hosts.items():
        ran = host.run("nginx -t")
        assert ran.rc == 0, f"{name}: nginx -t: {ran.stderr.strip()}"


def check_headers_passed_on(hosts):
    """The workshop is told the name that was asked for, the visitor's address and the scheme."""
    for name, host in hosts.items():
        seen = fetch(host, "/seen")
        wanted = ("200", f"host=orders.example real=127.0.0.1 proto=http gate={GATES[name]['name']}")
        assert seen == wanted, f"{name}: the workshop answers {seen}, not {wanted}"


def check_redirects_keep_the_path(hosts):
    """Old addresses lead to the new ones, with all that follows."""
    for name, host in hosts.items():
        ran = host.run("curl -s -m 5 -o /dev/null -w '%{http_code} %{redirect_url}' http://127.0.0.1:8000/old/plans/7")
        status, _, target = ran.stdout.partition(" ")
        assert status == "301", f"{name}: /old/plans/7 answers {ran.stdout}"
        assert target.endswith("/new/plans/7"), f"{name}: /old/plans/7 leads to {target}"


def check_placeholders_filled(hosts):
    """The workshop's page has the gate's and the server's name in place of its placeholders."""
    for name, host in hosts.items():
        status, page = fetch(host, "/")
        assert status == "200", f"{name}: the workshop's page answers {status}"
        for wanted in (f"<h1>{GATES[name]['name']}</h1>", f"<em>{name}</em>"):
            assert wanted in page.splitlines(), f"{name}: the page has no line {wanted}: {page!r}"


def check_log_tells_of_requests(hosts):
    """A request leaves a line of JSON with host, path, status and agent."""
    for name, host in hosts.items():
        fetch(host, "/orders/4711?x=1", more="-A probe/7")
        last = host.run("tail -n 1 /var/log/nginx/forward.log").stdout
        wanted = {"host": "orders.example", "path": "/orders/4711", "status": "200", "agent": "probe/7"}
        assert json.loads(last) == wanted, f"{name}: the log's last line is {last!r}"


def check_lines_read_as_given(hosts):
    """Each mended line stands in the file exactly once, to the letter."""
    for name, host in hosts.items():
        seen = read_lines(host)
        wrong = {line: seen.count(line) for line in take_lines(name)[0] if seen.count(line) != 1}
        assert not wrong, f"{name}: lines that do not stand there once, with their number: {wrong}"


def check_own_values_kept(hosts):
    """Each gate still has its own name and its own bound for bodies."""
    for name, host in hosts.items():
        seen = fetch(host, "/orders/123456")
        assert seen == ("200", f"order counter of the {GATES[name]['name']}"), f"{name}: the counter answers {seen}"
        limit = GATES[name]["size"] * 1024**2
        for size, refused in ((limit, False), (limit + 1, True)):
            # nginx looks at the announced length before it forwards anything.
            status, _ = fetch(host, "/orders/1234", more=f"-X POST -H 'Content-Length: {size}'")
            assert (status == "413") is refused, f"{name}: a body of {size} bytes is answered with {status}"


def check_rest_of_file_untouched(hosts):
    """All other lines are there in their order, and none was added; the file is still root's."""
    for name, host in hosts.items():
        mended, wanted = take_lines(name)
        seen = [line for line in read_lines(host) if line not in mended]
        for number in range(max(len(wanted), len(seen))):
            pair = [lines[number] if number < len(lines) else "(no line)" for lines in (seen, wanted)]
            assert pair[0] == pair[1], f"{name}: {pair[0]!r} stands where {pair[1]!r} stood"
        file = host.file(FILE)
        access = (file.user, file.group, oct(file.mode))
        assert access == ("root", "root", "0o644"), f"{name}: {FILE} is {access}"


def check_other_sites_untouched(hosts):
    """The intranet, the workshop and its page are as they were, and no further file is there."""
    for number, (name, host) in enumerate(sorted(hosts.items())):
        for path, digests in OTHERS.items():
            seen = host.run(f"sha256sum {path}").stdout.split()
            assert seen[:1] == [digests[number]], f"{name}: {path} was changed"
        seen = fetch(host, "/", port=8081)
        assert seen == ("200", "intranet for 127.0.0.1"), f"{name}: the intranet answers {seen}"
        found = set(host.run("find /etc/nginx/conf.d /srv/workshop -type f").stdout.split())
        assert found == {FILE, *OTHERS}, f"{name}: the files are {sorted(found)}"
