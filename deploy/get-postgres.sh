#!/bin/sh
# Prints the folder that holds initdb, postgres and pg_ctl, for the tests; progress goes to stderr.
# Order: $DIPPER_TEST_POSTGRES, pg_config, Debian's folder, apt-get.
set -eu

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    say "Install a PostgreSQL server of version 15 or later, or set DIPPER_TEST_POSTGRES to the folder" \
        "with its initdb, postgres and pg_ctl."
    exit 1
}

has_server() { [ -x "$1/initdb" ] && [ -x "$1/postgres" ] && [ -x "$1/pg_ctl" ]; }

# The newest server that is installed; pg_config alone may belong to the client library only.
installed() {
    if bin=$(pg_config --bindir 2>/dev/null) && has_server "$bin"; then
        printf '%s\n' "$bin"
        return
    fi
    newest=0
    for bin in /usr/lib/postgresql/*/bin; do
        major=${bin#/usr/lib/postgresql/}
        major=${major%/bin}
        case $major in *[!0-9]*) continue ;; esac
        if has_server "$bin" && [ "$major" -gt "$newest" ]; then newest=$major; fi
    done
    [ "$newest" -gt 0 ] && printf '%s\n' "/usr/lib/postgresql/$newest/bin"
}

# Runs a command as root without asking for a password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

# The tests start servers of their own: the drop-in keeps Debian's package from setting up and
# starting one as well. It goes again afterwards, so the machine's own settings stay as they were.
install_with_apt() {
    dropin=/etc/postgresql-common/createcluster.d/dipper-tests.conf
    as_root mkdir -p "${dropin%/*}"
    trap 'as_root rm -f "$dropin"' EXIT
    printf 'create_main_cluster = false\n' | as_root tee "$dropin" >/dev/null
    as_root apt-get update -qq >&2
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends postgresql >&2
}

if [ -n "${DIPPER_TEST_POSTGRES:-}" ]; then
    has_server "$DIPPER_TEST_POSTGRES" ||
        fail "DIPPER_TEST_POSTGRES ($DIPPER_TEST_POSTGRES) holds no initdb, postgres and pg_ctl."
    printf '%s\n' "$DIPPER_TEST_POSTGRES"
    exit
fi
if installed; then exit; fi

command -v apt-get >/dev/null || fail "the tests need PostgreSQL, and it is not installed."
as_root true 2>/dev/null || fail "the tests need PostgreSQL, and only root may install it here."
say "Installing PostgreSQL for the tests ..."
install_with_apt || fail "apt-get could not install PostgreSQL (its message is above)."
installed || fail "apt-get installed PostgreSQL, but no server was found in /usr/lib/postgresql."
