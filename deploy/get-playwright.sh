#!/bin/sh
# Prints the folder with playwright-core, axe-core and oidc-provider, for the tests of the pages; progress goes to stderr.
# Order: $DIPPER_TEST_PLAYWRIGHT, the cache, npm (and apt-get for npm). What is got is pinned, with hashes, by
# services/dipper/tests/browser/playwright/package-lock.json.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
wanted=$root/services/dipper/tests/browser/playwright

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    say "Install Node.js 20 or later with npm, or set DIPPER_TEST_PLAYWRIGHT to a node_modules folder with" \
        "playwright-core, axe-core and oidc-provider."
    exit 1
}

has_modules() {
    for module in playwright-core axe-core oidc-provider; do
        [ -f "$1/$module/package.json" ] || return 1
    done
}

# Runs a command as root without asking for a password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_node() {
    command -v apt-get >/dev/null || fail "the tests need node and npm, and one of them is not installed."
    as_root true 2>/dev/null || fail "the tests need node and npm, and only root may install them here."
    say "Installing Node.js for the tests ..."
    as_root apt-get update -qq >&2
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends nodejs npm >&2
}

if [ -n "${DIPPER_TEST_PLAYWRIGHT:-}" ]; then
    has_modules "$DIPPER_TEST_PLAYWRIGHT" ||
        fail "DIPPER_TEST_PLAYWRIGHT ($DIPPER_TEST_PLAYWRIGHT) holds no playwright-core, axe-core and oidc-provider."
    printf '%s\n' "$DIPPER_TEST_PLAYWRIGHT"
    exit
fi

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    install_node || fail "apt-get could not install Node.js (its message is above)."
fi

# A folder for each lock file: another version never meets an older one's files.
version=$(cksum <"$wanted/package-lock.json" | cut -d ' ' -f 1)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/dipper/playwright-$version
if ! has_modules "$folder/node_modules"; then
    mkdir -p "$folder"
    cp "$wanted/package.json" "$wanted/package-lock.json" "$wanted/.npmrc" "$folder"
    say "Getting playwright-core, axe-core and oidc-provider ..."
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error >&2 ||
        fail "npm could not get them (its message is above)."
fi
printf '%s\n' "$folder/node_modules"
