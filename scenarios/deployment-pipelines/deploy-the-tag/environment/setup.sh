#!/bin/sh
# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
# A repository with several signed-off tags, one of them moved, and a working copy with files of its users.
set -eu
useradd --system --user-group --home-dir /srv/git --shell /usr/sbin/nologin git
useradd --system --user-group --home-dir /srv/atlas --shell /usr/sbin/nologin atlas
git config --system safe.directory /srv/git/atlas.git
umask 022
export GIT_AUTHOR_NAME=Nora GIT_AUTHOR_EMAIL=nora@atlas.example
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL

commit() { # commit DAY VERSION MESSAGE
  export GIT_AUTHOR_DATE="$1T12:00:00Z" GIT_COMMITTER_DATE="$1T12:00:00Z"
  echo "$2" >VERSION
  git add --all
  git commit -q -m "$3"
}

sign() { # sign TAG [OPTION]
  git tag --annotate --message "$1" ${2:-} "$1" >/dev/null
}

work=$(mktemp -d)
cd "$work"
git init -q --initial-branch=main
mkdir bin templates
cp /usr/local/share/atlas/atlas bin/atlas
chmod 755 bin/atlas
printf '#!/bin/sh\necho imported\n' >bin/old-import
chmod 755 bin/old-import
echo "maps since 1998" >templates/footer.html
printf 'uploads/\n*.local.ini\nBUILD\n' >.gitignore
commit 2026-01-08 1.8.0 "Maps and routes"
sign signed-off-1.8.0
commit 2026-01-20 1.9.0 "Faster maps"
sign signed-off-1.9.0
git rm -q bin/old-import
echo "maps and routes since 1998" >templates/footer.html
commit 2026-02-11 1.10.0 "Contour lines"
sign signed-off-1.10.0

# The working copy dates from here, so that it knows the tag that was moved later.
install -d /srv/git
git clone -q --bare "$work" /srv/git/atlas.git
git clone -q --no-hardlinks /srv/git/atlas.git /srv/atlas/app
git -C /srv/atlas/app checkout -q signed-off-1.9.0

mkdir styles
echo "contour: 20m" >styles/contour.txt
commit 2026-02-13 1.10.0 "Contour lines need their style"
sign signed-off-1.10.0 --force
sign signed-off-1.10.1-rc1
commit 2026-02-20 2.0.0 "A new map engine"
sign release-2.0.0
sign not-signed-off-1.11.0
git checkout -q signed-off-1.9.0
commit 2026-03-02 1.9.3 "Names of streets"
sign signed-off-1.9.3
git push -q --force /srv/git/atlas.git main 'refs/tags/*:refs/tags/*'

cd /srv/atlas/app
git tag signed-off-1.12.0
echo "maps since 1998, call 4711" >templates/footer.html
echo "signed-off-1.9.0 $(git rev-parse HEAD)" >BUILD
mkdir -p uploads/2026
echo "the hall" >"uploads/2026/hall 3.txt"
echo "the garden" >uploads/garden.txt
echo "colour = green" >atlas.local.ini
echo "ask Ines for the paper size" >notes.txt
touch -d '2026-02-01 08:00' uploads/garden.txt "uploads/2026/hall 3.txt"
chmod 600 atlas.local.ini
chown -R git:git /srv/git
chown -R atlas:atlas /srv/atlas
chmod 2770 uploads uploads/2026
rm -rf "$work"
