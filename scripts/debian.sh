# Sourced by the setup scripts: one line per step, and packages where we may install them.
# shellcheck shell=sh

say() { echo "setup: $*"; }

fail() {
    echo "setup: $*" >&2
    exit 1
}

may_apt() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }

# The package lists of a bare container are empty, hence the update; a stale list is still better than giving up.
apt_install() {
    say "apt-get install $*"
    apt_log=$(mktemp)
    apt-get -q update >"$apt_log" 2>&1 || true
    if DEBIAN_FRONTEND=noninteractive apt-get -qy -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@" \
        >>"$apt_log" 2>&1; then
        rm -f "$apt_log"
    else
        say "apt-get failed; the end of $apt_log:"
        tail -n 3 "$apt_log" | sed 's/^/  /'
        return 1
    fi
}
