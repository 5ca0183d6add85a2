# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The homes are at the new place with all that was in them; what was there before and who stays are as they were."""

OLD = {"iris": "/home/iris", "noah": "/home/nostrom"}
# By user and path: owner, mode and content of files, owner and mode of directories.
FILES = {
    "iris": {
        "projects/draft.md": ("iris:iris", "644", "draft\n"),
        "projects/plot.sh": ("iris:iris", "755", "#!/bin/sh\necho plotted\n"),
        "projects/shared/queue.out": ("irisbackup:plotters", "640", "result of the queue\n"),
        "field notes/May 3.txt": ("iris:iris", "644", "ferns\n"),
    },
    "noah": {"thesis.tex": ("noah:lab", "600", "of noah\n")},
}
HIDDEN = {
    ".ssh/authorized_keys": ("iris:iris", "600", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleOnly iris\n"),
    ".config/plot/settings": ("iris:iris", "644", "paper=a0\n"),
    ".quota": ("root:root", "644", "quota=5G\n"),
}
DIRECTORIES = {
    "iris": {
        ".": ("iris:iris", "750"),
        ".ssh": ("iris:iris", "700"),
        ".config": ("iris:iris", "700"),
        "projects/shared": ("iris:plotters", "2770"),
        "field notes": ("iris:iris", "755"),
    },
    "noah": {".": ("noah:lab", "700"), "empty": ("noah:lab", "711")},
}
LINKS = {"current": "projects/draft.md", "plot": "/home/iris/projects/plot.sh", "dangling": "/mnt/gone"}
REPLACED = {
    "plan.txt": ("iris:iris", "644", "of iris, from the old home\n"),
    "projects/figures.csv": ("iris:iris", "644", "old figures\n"),
}


def describe(host, path):
    """Owner with group, mode and content of a file."""
    file = host.file(path)
    assert file.is_file, f"{path} is not there"
    return f"{file.user}:{file.group}", f"{file.mode:o}", file.content_string


def describe_directory(host, path):
    """Owner with group and mode of a directory."""
    file = host.file(path)
    assert file.is_directory, f"{path} is not there"
    return f"{file.user}:{file.group}", f"{file.mode:o}"


def check_accounts_name_the_new_homes(shell):
    """The accounts have the new home, and what else they had."""
    groups = {"iris": {"iris", "lab", "plotters"}, "noah": {"lab"}}
    for user, wanted in groups.items():
        seen = shell.run(f"getent passwd {user}").stdout.strip().split(":")
        assert seen[5:] == [f"/data/home/{user}", "/bin/bash"], f"account of {user}: {seen}"
        assert set(shell.run(f"id -nG {user}").stdout.split()) == wanted, f"{user} is no longer in {wanted} exactly"


def check_users_work_in_the_new_homes(shell):
    """Who logs in is in the new home, with the settings of before, and can write there."""
    for user, device in (("iris", "iris-a0"), ("noah", "noah-a4")):
        ran = shell.run(f"su - {user} -c 'pwd -P; echo $PLOT_DEVICE; touch probe && rm probe && echo written'")
        wanted = [f"/data/home/{user}", device, "written"]
        assert ran.stdout.split() == wanted, f"{user} sees {ran.stdout.split()} {ran.stderr.strip()}"


def check_files_arrived(shell):
    """Each file of the old homes is at the new place with its content."""
    for user, files in FILES.items():
        for path, wanted in files.items():
            seen = describe(shell, f"/data/home/{user}/{path}")
            assert seen[2] == wanted[2], f"{path} of {user} holds {seen[2]!r}"


def check_hidden_files_arrived(shell):
    """Files and directories whose names begin with a dot as well."""
    for path, wanted in HIDDEN.items():
        seen = describe(shell, f"/data/home/iris/{path}")
        assert seen[2] == wanted[2], f"{path} of iris holds {seen[2]!r}"
    for user in OLD:
        describe(shell, f"/data/home/{user}/.bashrc")


def check_owners_and_modes_kept(shell):
    """Owner, group and mode of files and directories, also where they are not the user's."""
    for user, files in {**FILES, "iris": {**FILES["iris"], **HIDDEN}}.items():
        for path, wanted in files.items():
            seen = describe(shell, f"/data/home/{user}/{path}")
            assert seen[:2] == wanted[:2], f"{path} of {user} is now {seen[:2]}, not {wanted[:2]}"
    for user, directories in DIRECTORIES.items():
        for path, wanted in directories.items():
            seen = describe_directory(shell, f"/data/home/{user}/{path}")
            assert seen == wanted, f"{path} of {user} is now {seen}, not {wanted}"


def check_links_kept(shell):
    """Links are links with the same target, and work."""
    seen = {name: shell.run(f"readlink /data/home/iris/{name}").stdout.strip() for name in LINKS}
    assert seen == LINKS, f"links in the new home: {seen}"
    assert shell.run("/data/home/iris/plot").stdout == "plotted\n", "the link to the program does not work"


def check_files_at_the_new_place_untouched(shell):
    """What had been put there by hand counts."""
    wanted = {
        "plan.txt": ("iris:iris", "600", "of iris, revised at the new place\n"),
        "projects/figures.csv": ("iris:iris", "644", "new figures\n"),
        "projects/extra.md": ("iris:iris", "644", "only here\n"),
    }
    for path, state in wanted.items():
        seen = describe(shell, f"/data/home/iris/{path}")
        assert seen == state, f"{path}, which was there before, is now {seen}"


def check_old_paths_lead_to_the_new_homes(shell):
    """The old path is a link to the new home."""
    for user, path in OLD.items():
        seen = shell.run(f"readlink {path}").stdout.strip().rstrip("/")
        assert seen, f"{path} is not a symbolic link"
        assert shell.run(f"readlink -f {path}").stdout.strip() == f"/data/home/{user}", f"{path} leads to {seen}"


def check_old_homes_kept_aside(shell):
    """The old homes are complete, beside the links."""
    for user, path in OLD.items():
        more = {**HIDDEN, **REPLACED} if user == "iris" else {}
        for name, wanted in {**FILES[user], **more}.items():
            seen = describe(shell, f"{path}.old/{name}")
            assert seen == wanted, f"{path}.old/{name} is now {seen}"
        for name, wanted in DIRECTORIES[user].items():
            seen = describe_directory(shell, f"{path}.old/{name}")
            assert seen == wanted, f"{path}.old/{name} is now {seen}"
    seen = {name: shell.run(f"readlink /home/iris.old/{name}").stdout.strip() for name in LINKS}
    assert seen == LINKS, f"links in /home/iris.old: {seen}"
    left = shell.run("find /home/iris.old -name extra.md").stdout.strip()
    assert not left, f"{left} comes from the new place"


def check_other_homes_untouched(shell):
    """Who is not in the group, and who has moved already, finds everything as it was."""
    homes = {"ines": "/home/ines", "irisbackup": "/home/irisbackup", "ops": "/home/ops", "tilda": "/data/home/tilda"}
    for user, home in homes.items():
        seen = shell.run(f"getent passwd {user}").stdout.strip().split(":")
        assert seen[5] == home, f"account of {user}: {seen}"
        assert shell.run(f"readlink -f {home}").stdout.strip() == home, f"{home} is a link now"
    files = {
        "/home/ines/notes.txt": ("ines:ines", "644", "of ines\n"),
        "/home/irisbackup/last.log": ("irisbackup:irisbackup", "644", "of the backup\n"),
        "/data/home/tilda/index.txt": ("tilda:lab", "644", "of tilda\n"),
    }
    for path, wanted in files.items():
        assert describe(shell, path) == wanted, f"{path} is now {describe(shell, path)}"
    link = shell.run("readlink /home/tilda").stdout.strip()
    assert link == "/data/home/tilda", f"/home/tilda leads to {link!r}"
    made = set(shell.run("ls -A /data/home /home").stdout.split()) & {"ines.old", "ops.old", "tilda.old"}
    assert not made, f"there is also {made}"
