#!/bin/sh
# Prints what the program is built from, as a CycloneDX document (JSON): sbom.sh >dipper.cdx.json; progress goes to stderr.
# The first run builds cargo-cyclonedx, which takes minutes, and keeps it in the cache.
set -eu

version=0.5.9
# Of the crate as it is published; its own lock file holds those of what it is built from.
sha256=5d162f67705f0f5038759d73bf546a083bf30e8677c2e944b416bca48d9d69a8
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cached=${XDG_CACHE_HOME:-$HOME/.cache}/dipper/cargo-cyclonedx-$version

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

sha256_of() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# Builds it in the folder $1, on the file system of the cache: the last step is one rename.
install_tool() {
    cargo install --locked --root "$1" --target-dir "$1/target" "cargo-cyclonedx@$version" >&2 ||
        fail "cargo-cyclonedx $version could not be built (see above)."
    for crate in "${CARGO_HOME:-$HOME/.cargo}"/registry/cache/*/"cargo-cyclonedx-$version.crate"; do
        [ "$(sha256_of "$crate")" = "$sha256" ] || fail "$crate is not the one that is pinned; it was refused."
    done
    mv -f "$1/bin/cargo-cyclonedx" "$cached"
}

# The tool writes a file into every crate's folder, under this name, which is nobody else's.
name=sbom-$$
work=
clean() {
    find "$root/envelope" "$root/proof" "$root/services" -maxdepth 2 -name "$name.json" -delete
    [ -z "$work" ] || rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

if [ ! -x "$cached" ]; then
    mkdir -p "${cached%/*}"
    work=$(mktemp -d "${cached%/*}/.sbom.XXXXXX")
    install_tool "$work"
fi
"$cached" cyclonedx --quiet --format json --spec-version 1.5 --override-filename "$name" \
    --manifest-path "$root/services/dipper/Cargo.toml"
# Where the sources lie on this machine is no part of what they are.
sed "s|file://$root|file://.|g" "$root/services/dipper/$name.json"
