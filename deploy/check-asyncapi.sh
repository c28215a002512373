#!/bin/sh
# Validates an AsyncAPI document with the official parser: check-asyncapi.sh FILE
# Needs node and npm. What npm gets is pinned, with hashes, by deploy/asyncapi/package-lock.json, and deleted afterwards.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ $# -eq 1 ] || { echo "usage: check-asyncapi.sh FILE" >&2; exit 2; }
document=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
[ -r "$document" ] || { echo "error: $document cannot be read" >&2; exit 2; }
command -v npm >/dev/null || { echo "error: npm is needed to get the parser" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cp "$here"/asyncapi/package.json "$here"/asyncapi/package-lock.json "$here"/asyncapi/.npmrc "$here"/asyncapi/check.cjs "$work"
npm ci --prefix "$work" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
node "$work/check.cjs" "$document"
