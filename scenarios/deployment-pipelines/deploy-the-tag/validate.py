# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""The working copy is at the signed-off tag of the repository, and what its users put there is still there."""

APP = "/srv/atlas/app"
REPOSITORY = "/srv/git/atlas.git"
TAG = "signed-off-1.10.0"
UPLOADS = {
    "uploads/garden.txt": ("the garden\n", "644"),
    "uploads/2026/hall 3.txt": ("the hall\n", "644"),
    "atlas.local.ini": ("colour = green\n", "600"),
    "notes.txt": ("ask Ines for the paper size\n", "644"),
}
"""Files that git does not track: content and mode."""
TAGS = {
    "not-signed-off-1.11.0": "2.0.0",
    "release-2.0.0": "2.0.0",
    "signed-off-1.10.0": "1.10.0",
    "signed-off-1.10.1-rc1": "1.10.0",
    "signed-off-1.8.0": "1.8.0",
    "signed-off-1.9.0": "1.9.0",
    "signed-off-1.9.3": "1.9.3",
}
"""The repository's tags and the version in each."""


def git(host, place, words):
    """What git says in a directory, whoever owns that; hooks and settings of the directory's own do not matter here."""
    ran = host.run(f"git -c safe.directory='*' -c core.fsmonitor=false -C {place} {words}")
    assert ran.rc == 0, f"git {words} in {place}: {ran.stderr.strip()}"
    return ran.stdout


def check_program_is_the_signed_off_one(app1):
    """The user atlas can run the program, which is of the newest signed-off version and finds the uploads."""
    ran = app1.run(f"runuser -u atlas -- {APP}/bin/atlas")
    seen = (ran.stdout + ran.stderr).strip()
    assert seen == "atlas 1.10.0 with 2 uploads", f"{APP}/bin/atlas as user atlas says: {seen}"


def check_commit_is_the_tags(app1):
    """What is checked out is the commit to which the repository's tag leads, not an earlier place of that tag."""
    wanted = git(app1, REPOSITORY, f"rev-parse '{TAG}^{{commit}}'").strip()
    seen = git(app1, APP, "rev-parse HEAD").strip()
    assert seen == wanted, f"{APP} is at {seen}, {TAG} of the repository at {wanted}"


def check_tracked_files_are_the_commits(app1):
    """No tracked file differs from the commit that is checked out, and files that it no longer has are gone."""
    changes = git(app1, APP, "--no-optional-locks status --porcelain --untracked-files=no").splitlines()
    assert not changes, f"differences from the commit: {changes}"
    footer = app1.file(f"{APP}/templates/footer.html").content_string
    assert footer == "maps and routes since 1998\n", f"templates/footer.html says {footer!r}"
    assert not app1.file(f"{APP}/bin/old-import").exists, "bin/old-import, which the tag no longer has, is still there"


def check_build_stamp_names_tag_and_commit(app1):
    """The stamp holds the tag's name and the commit's hash, for everybody to read."""
    commit = git(app1, REPOSITORY, f"rev-parse '{TAG}^{{commit}}'").strip()
    file = app1.file(f"{APP}/BUILD")
    assert file.exists, f"there is no {APP}/BUILD"
    lines = file.content_string.splitlines()
    assert lines == [f"{TAG} {commit}"], f"BUILD holds {lines}, the commit is {commit}"
    seen = (file.user, file.group, oct(file.mode))
    assert seen == ("atlas", "atlas", "0o644"), f"BUILD is {seen}"


def check_all_belongs_to_atlas(app1):
    """User and group atlas own the working copy and everything in it."""
    assert app1.file(APP).is_directory, f"{APP} is not a directory"
    foreign = app1.run(f"/usr/bin/find {APP} '(' ! -user atlas -o ! -group atlas ')' -printf '%P %u:%g, '").stdout
    assert not foreign, f"not owned by atlas:atlas: {foreign[:400]}"


def check_uploads_untouched(app1):
    """Files that git does not track are as they were: uploads, local settings and notes."""
    for name, (text, mode) in UPLOADS.items():
        file = app1.file(f"{APP}/{name}")
        assert file.exists, f"{name} is gone"
        assert file.content_string == text, f"{name} holds {file.content_string!r}"
        assert f"{file.mode:o}" == mode, f"{name} has the mode {file.mode:o}, not {mode}"
        if name.startswith("uploads/"):
            day = f"{file.mtime:%Y-%m-%d}"
            assert day == "2026-02-01", f"{name} is of {day}, not of 2026-02-01"
    for name in ("uploads", "uploads/2026"):
        assert app1.file(f"{APP}/{name}").mode == 0o2770, f"{name} has the mode {app1.file(f'{APP}/{name}').mode:o}"


def check_still_a_clone(app1):
    """The working copy still has the repository for its origin."""
    seen = git(app1, APP, "config --get remote.origin.url").strip()
    assert seen.removeprefix("file://") == REPOSITORY, f"the origin of {APP} is {seen}"


def check_repository_untouched(app1):
    """The repository has its tags where they were, and belongs to the user git."""
    names = git(app1, REPOSITORY, "for-each-ref --format='%(refname)'").split()
    wanted = ["refs/heads/main", *(f"refs/tags/{name}" for name in sorted(TAGS))]
    assert sorted(names) == wanted, f"branches and tags of the repository: {names}"
    seen = {name: git(app1, REPOSITORY, f"show {name}:VERSION").strip() for name in TAGS}
    assert seen == TAGS, f"versions by tag: {seen}"
    foreign = app1.run(f"/usr/bin/find {REPOSITORY} ! -user git -printf '%P %u, '").stdout
    assert not foreign, f"in the repository, not owned by git: {foreign[:400]}"
