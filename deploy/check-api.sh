#!/bin/sh
# Asks a running instance whatever its OpenAPI document allows, and more, and compares the answers with it:
#   check-api.sh URL TOKEN [OPTION...]
# No answer may be a failure of ours (5xx) or one that the document does not name. What would end the session that asks
# is left out. Options go to schemathesis, e.g. --max-examples=200. Needs python3; schemathesis goes into a folder that
# is deleted afterwards.
set -eu

tool=schemathesis==4.32.5

[ $# -ge 2 ] || { echo "usage: check-api.sh URL TOKEN [OPTION...]" >&2; exit 2; }
url=$1 token=$2
shift 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
if command -v schemathesis >/dev/null; then
    program=schemathesis
else
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$tool" >&2
    program=$work/venv/bin/schemathesis
fi

# The feed that is told live does not end.
cd "$work"
"$program" run "$url/api/openapi.json" --header "Authorization: Bearer $token" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --exclude-path /api/v1/auth/logout --exclude-path /api/v1/auth/sessions --exclude-path /api/v1/gdpr/delete \
    --exclude-path /api/v1/feed/live --no-color "$@"
