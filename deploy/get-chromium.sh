#!/bin/sh
# Prints the path of chromedriver, for the tests of the pages; progress goes to stderr.
# Order: $DIPPER_TEST_CHROMEDRIVER, PATH, apt-get.
set -eu

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    say "Install Chromium and the chromedriver of the same version, or set DIPPER_TEST_CHROMEDRIVER to the path" \
        "of the latter."
    exit 1
}

# The driver finds its browser by itself, under one of these names.
has_browser() {
    for name in chromium chromium-browser google-chrome chrome; do
        if command -v "$name" >/dev/null; then return; fi
    done
    [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ]
}

installed() { has_browser && command -v chromedriver; }

# Runs a command as root without asking for a password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_with_apt() {
    as_root apt-get update -qq >&2
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends chromium chromium-driver >&2
}

if [ -n "${DIPPER_TEST_CHROMEDRIVER:-}" ]; then
    [ -x "$DIPPER_TEST_CHROMEDRIVER" ] ||
        fail "DIPPER_TEST_CHROMEDRIVER ($DIPPER_TEST_CHROMEDRIVER) is no program."
    printf '%s\n' "$DIPPER_TEST_CHROMEDRIVER"
    exit
fi
if installed; then exit; fi

command -v apt-get >/dev/null || fail "the tests need Chromium and chromedriver, and one of them is not installed."
as_root true 2>/dev/null || fail "the tests need Chromium and chromedriver, and only root may install them here."
say "Installing Chromium for the tests ..."
install_with_apt || fail "apt-get could not install Chromium (its message is above)."
installed || fail "apt-get installed Chromium, but it was not found on the PATH."
