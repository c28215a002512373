#!/bin/sh
# Validates an AsyncAPI document with the official parser: check-asyncapi.sh FILE
# Needs node and npm; the parser goes into a folder that is deleted afterwards.
set -eu

parser=@asyncapi/parser@3.6.3

[ $# -eq 1 ] || { echo "usage: check-asyncapi.sh FILE" >&2; exit 2; }
document=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)/$(basename -- "$1")
[ -r "$document" ] || { echo "error: $document cannot be read" >&2; exit 2; }
command -v npm >/dev/null || { echo "error: npm is needed to get $parser" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
npm install --prefix "$work" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error \
    --save-exact "$parser" >&2

cat >"$work/check.cjs" <<'EOF'
const { readFileSync } = require('node:fs');
const { Parser } = require('@asyncapi/parser');

const severities = ['error', 'warning', 'information', 'hint'];

async function main() {
  const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], 'utf8'));
  for (const { severity, path, message } of diagnostics) {
    console.log(`${severities[severity]}: /${path.join('/')}: ${message}`);
  }
  if (!document || diagnostics.some(({ severity }) => severity === 0)) {
    process.exitCode = 1;
    return;
  }
  console.log(`valid AsyncAPI ${document.version()}: ${document.channels().all().length} channels, ` +
    `${document.operations().all().length} operations`);
}

main();
EOF
node "$work/check.cjs" "$document"
