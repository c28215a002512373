#!/bin/sh
# Has sqlmap try whether texts of requests reach the SQL of a running instance, on five routes that take texts:
#   check-sql.sh URL TOKEN [OPTION...]
# Ends with 1 if it finds a way in. The token is a birder's; limits on logging in and searching should be off
# (DIPPER_LIMIT_SEARCH=off), or most attempts are refused unseen. Options go to sqlmap, e.g. --level=3. Needs python3; sqlmap
# goes into a folder that is deleted afterwards.
set -eu

[ $# -ge 2 ] || { echo "usage: check-sql.sh URL TOKEN [OPTION...]" >&2; exit 2; }
url=$1 token=$2
shift 2

lock=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)/sqlmap.lock
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock" >&2

found=0
# try NAME OPTION...: one route; `*` stands behind what a text of the request may hold.
try() {
    name=$1
    shift
    "$work/venv/bin/sqlmap" --batch --disable-coloring --flush-session --output-dir="$work/out" --threads=4 --ignore-code='*' \
        --headers="Authorization: Bearer $token" --level=2 --risk=2 "$@" >"$work/log" 2>&1 || true
    if grep -q 'identified the following injection point' "$work/log"; then
        sed -n '/identified the following/,$p' "$work/log" >&2
        echo "$name: a text reaches the database" >&2
        found=1
    elif grep -q 'do not appear to be injectable' "$work/log"; then
        echo "$name: nothing found"
    else
        tail -n 20 "$work/log" >&2
        echo "$name: sqlmap did not come to an end" >&2
        found=1
    fi
}

json='--header=Content-Type: application/json'
try "species" -u "$url/api/v1/species?q=tit*&limit=5" "$@"
try "feed" -u "$url/api/v1/feed?sort=best*&cursor=x*" "$@"
try "ticks" -u "$url/api/v1/ticks?user=me*&cursor=x*" "$@"
try "profile" -u "$url/api/v1/users/me" --method=PATCH "$json" --data='{"name": "Ada*", "preferences": {"locale": "en*"}}' "$@"
try "confirmation" -u "$url/api/v1/auth/confirm" --method=POST "$json" --data='{"token": "x*"}' "$@"
exit "$found"
