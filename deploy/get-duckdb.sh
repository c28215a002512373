#!/bin/sh
# Prints the folder with DuckDB for Python, for the test of the files for analysis; progress goes to stderr.
# Order: $DIPPER_TEST_DUCKDB, the cache, pip (and apt-get for pip). What is got is pinned, with hashes, by duckdb.lock.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
wanted=$root/deploy/duckdb.lock

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    say "Install Python 3.11 or later with pip, or set DIPPER_TEST_DUCKDB to a folder with its module duckdb."
    exit 1
}

has_module() { PYTHONPATH=$1 python3 -c 'import duckdb' >/dev/null 2>&1; }

# Runs a command as root without asking for a password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_python() {
    command -v apt-get >/dev/null || fail "the tests need Python with pip, and one of them is not installed."
    as_root true 2>/dev/null || fail "the tests need Python with pip, and only root may install them here."
    say "Installing Python for the tests ..."
    as_root apt-get update -qq >&2
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends python3 python3-pip >&2
}

if [ -n "${DIPPER_TEST_DUCKDB:-}" ]; then
    has_module "$DIPPER_TEST_DUCKDB" || fail "DIPPER_TEST_DUCKDB ($DIPPER_TEST_DUCKDB) holds no module duckdb."
    printf '%s\n' "$DIPPER_TEST_DUCKDB"
    exit
fi

if ! python3 -m pip --version >/dev/null 2>&1; then
    install_python || fail "apt-get could not install Python (its message is above)."
fi

# A folder for each list: another version never meets an older one's files.
version=$(cksum <"$wanted" | cut -d ' ' -f 1)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/dipper/duckdb-$version
if ! has_module "$folder"; then
    say "Getting DuckDB ..."
    rm -rf "$folder"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
        --only-binary=:all: --require-hashes --target "$folder" -r "$wanted" >&2 ||
        fail "pip could not get it (its message is above)."
fi
printf '%s\n' "$folder"
