# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The tokens after the second run, beside those that the first run had made."""

import hashlib
import json
import re
from pathlib import Path

PLACE = "/srv/auth/tokens"
FIRST = "/root/after-first-run"
"""Where the steps between the runs kept what the first run had made."""

SERVICES = ["billing", "mail", "metrics", "search", "shop"]
FORM = re.compile(r"[a-z0-9]{32}\n?")


def read_token(host, service, place=PLACE):
    """What a service's token file holds."""
    file = host.file(f"{place}/{service}.token")
    when = "after the first run" if place == FIRST else "in the end"
    assert file.exists, f"{service} has no token {when}"
    return file.content_string


def read_source(name):
    """A file of the starting state."""
    return Path(__file__).with_name("environment").joinpath(name).read_text("utf-8")


def check_every_new_token_has_its_form(auth1):
    """Tokens that were made are one line of 32 small letters and digits."""
    for service in sorted(set(SERVICES) - {"mail"}):
        seen = read_token(auth1, service)
        assert FORM.fullmatch(seen), f"the token of {service} is {seen!r}"


def check_every_token_is_another(auth1):
    """No two services share a token, after either run."""
    for place, services in ((PLACE, SERVICES), (FIRST, ["billing", "mail", "search", "shop"])):
        seen = {service: read_token(auth1, service, place).strip() for service in services}
        assert len(set(seen.values())) == len(seen), f"tokens are shared: {seen}"


def check_empty_token_file_is_filled(auth1):
    """The service whose token file was empty got a token in the first run."""
    seen = read_token(auth1, "search", FIRST)
    assert FORM.fullmatch(seen), f"after the first run the token of search is {seen!r}"


def check_tokens_of_the_first_run_untouched(auth1):
    """What the first run made for services that kept their files is the same to the letter after the second."""
    for service in ("search", "shop"):
        first, seen = read_token(auth1, service, FIRST), read_token(auth1, service)
        assert first.strip(), f"the first run made no token for {service}"
        assert seen == first, f"the token of {service} was {first!r} after the first run and is {seen!r}"


def check_token_made_by_hand_untouched(auth1):
    """The token that was there from the beginning is the same to the letter."""
    seen = read_token(auth1, "mail")
    assert seen == read_source("mail.token"), f"the token of mail is {seen!r}"


def check_deleted_token_does_not_come_back(auth1):
    """The service whose token was deleted between the runs has another one."""
    first, seen = read_token(auth1, "billing", FIRST), read_token(auth1, "billing")
    assert seen.strip(), "billing has no token"
    assert seen.strip() != first.strip(), f"the deleted token of billing is back: {seen!r}"


def check_register_has_all_digests(auth1):
    """The register has the digest of each listed service's present token, and no other key."""
    file = auth1.file("/srv/auth/register.json")
    assert file.exists, "there is no /srv/auth/register.json"
    seen = json.loads(file.content_string)
    wanted = {name: hashlib.sha256(read_token(auth1, name).strip().encode()).hexdigest() for name in SERVICES}
    assert seen == wanted, f"the register holds {seen}, wanted {wanted}"


def check_owner_and_mode(auth1):
    """Token files are for root and the services' group, the register for root alone."""
    wanted = {f"{PLACE}/{service}.token": ("root", "www-data", "640") for service in SERVICES}
    wanted["/srv/auth/register.json"] = ("root", "root", "600")
    for path, rights in wanted.items():
        file = auth1.file(path)
        assert file.exists, f"{path} does not exist"
        seen = (file.user, file.group, f"{file.mode:o}")
        assert seen == rights, f"{path} is {seen}, wanted {rights}"


def check_other_files_untouched(auth1):
    """The list, the note and the token of a service that is not listed are as they were; nothing else was added."""
    sources = {
        "/srv/auth/services.list": read_source("services.list") + "metrics\n",
        f"{PLACE}/README": read_source("readme.txt"),
        f"{PLACE}/fax.token": read_source("fax.token"),
    }
    for path, text in sources.items():
        file = auth1.file(path)
        assert file.exists, f"{path} is gone"
        assert file.content_string == text, f"{path} was changed: {file.content_string!r}"
    mode = auth1.file(f"{PLACE}/fax.token").mode
    assert mode == 0o600, f"{PLACE}/fax.token has mode {mode:o}"
    seen = set(auth1.run(f"find {PLACE} -type f").stdout.splitlines())
    surplus = seen - {f"{PLACE}/{name}.token" for name in (*SERVICES, "fax")} - {f"{PLACE}/README"}
    assert not surplus, f"{PLACE} also holds {sorted(surplus)}"
