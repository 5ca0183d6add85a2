# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The ssh server's settings, as its own files give them and as the running server applies them."""

IMAGE_DEFAULTS = """# Written by the image build; replaced at every update of the image.
PermitRootLogin yes
PasswordAuthentication yes
MaxAuthTries 10
ClientAliveInterval 300
"""


def read_settings(host, user):
    """What sshd's files say for a user: lists of values by setting in lower case."""
    ran = host.run(f"/usr/sbin/sshd -T -C user={user},host=client.example.test,addr=192.0.2.7")
    assert ran.rc == 0, f"sshd -T: {ran.stderr.strip()}"
    settings = {}
    for line in ran.stdout.splitlines():
        name, _, value = line.partition(" ")
        settings.setdefault(name.lower(), []).extend(value.split())
    return settings


def offered_methods(host, user, source):
    """The ways to log in that the running server offers; one source address a probe, for sshd counts failures."""
    options = "-F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=5"
    ran = host.run(f"ssh {options} -o PreferredAuthentications=none -b {source} {user}@127.0.0.1 true")
    assert "Permission denied (" in ran.stderr, f"the ssh server does not answer as it should: {ran.stderr.strip()}"
    return set(ran.stderr.partition("Permission denied (")[2].partition(")")[0].split(","))


def check_configuration_is_valid(bastion):
    """The sshd binary accepts its files."""
    ran = bastion.run("/usr/sbin/sshd -t")
    assert ran.rc == 0, f"sshd -t: {ran.stderr.strip()}"


def check_root_refused(bastion):
    """Root is refused, by whatever method."""
    seen = read_settings(bastion, "root").get("permitrootlogin")
    assert seen == ["no"], f"PermitRootLogin is {seen}"


def check_passwords_refused(bastion):
    """Engineers, operators and root get no password prompt."""
    for user in ("ellen", "ops", "root"):
        seen = read_settings(bastion, user)
        assert seen.get("passwordauthentication") == ["no"], f"PasswordAuthentication for {user} is not no"
        assert seen.get("kbdinteractiveauthentication") == ["no"], f"KbdInteractiveAuthentication for {user} is not no"


def check_only_named_groups(bastion):
    """The three groups may log in, and no other."""
    for user in ("ellen", "paula", "tom"):
        seen = sorted(set(read_settings(bastion, user).get("allowgroups", [])))
        assert seen == ["engineers", "ops", "partners"], f"AllowGroups for {user} is {seen}"


def check_forwarding_and_attempts(bastion):
    """No X11 forwarding and three attempts, for partners as well."""
    for user in ("ellen", "paula"):
        seen = read_settings(bastion, user)
        assert seen.get("x11forwarding") == ["no"], f"X11Forwarding for {user} is {seen.get('x11forwarding')}"
        assert seen.get("maxauthtries") == ["3"], f"MaxAuthTries for {user} is {seen.get('maxauthtries')}"


def check_partners_keep_their_rules(bastion):
    """The Match block of the partners is in force with everything it says, and for them alone."""
    wanted = {"passwordauthentication": ["yes"], "allowtcpforwarding": ["no"], "forcecommand": ["internal-sftp"]}
    settings = read_settings(bastion, "paula")
    seen = {name: settings.get(name) for name in wanted}
    assert seen == wanted, f"settings for partners: {seen}"
    others = read_settings(bastion, "ellen")
    assert others.get("allowtcpforwarding") == ["yes"], "TCP forwarding is off for engineers, too"
    assert others.get("forcecommand") == ["none"], f"engineers are forced to run {others.get('forcecommand')}"


def check_image_defaults_untouched(bastion):
    """The image's file is as it was, and its keep-alive interval counts."""
    file = bastion.file("/etc/ssh/sshd_config.d/20-image-defaults.conf")
    assert file.exists, "20-image-defaults.conf is gone"
    assert file.content_string == IMAGE_DEFAULTS, "20-image-defaults.conf was changed"
    seen = read_settings(bastion, "ellen").get("clientaliveinterval")
    assert seen == ["300"], f"ClientAliveInterval is {seen}"


def check_running_server_refuses_passwords(bastion):
    """The running server offers keys only, to engineers and to root."""
    for user, source in (("ellen", "127.0.0.11"), ("root", "127.0.0.12")):
        seen = offered_methods(bastion, user, source)
        assert seen == {"publickey"}, f"the running server offers {user}: {', '.join(sorted(seen))}"


def check_running_server_takes_partners_passwords(bastion):
    """The running server still offers passwords to partners."""
    seen = offered_methods(bastion, "paula", "127.0.0.13")
    assert "password" in seen, f"the running server offers partners only: {', '.join(sorted(seen))}"
