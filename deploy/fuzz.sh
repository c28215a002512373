#!/bin/sh
# Sends made-up bytes through whatever reads bytes of anybody (fuzz/): fuzz.sh [RUNS [TARGET...]]
# Each target begins with the inputs in fuzz/corpus/ and goes on for so many runs, or 10 seconds if none are named.
# An input that makes it crash is left in fuzz/artifacts/; what is found beside is thrown away.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
limit=${1:+-runs=$1}
: "${limit:=-max_total_time=10}"
[ $# -eq 0 ] || shift
fuzz=$("$root/deploy/get-wheel.sh" cargo-fuzz)
target=${CARGO_TARGET_DIR:-$root/fuzz/target}
cd "$root"
# shellcheck disable=SC2046 # names of targets are words
[ $# -gt 0 ] || set -- $("$fuzz" list)

# Coverage counters need no nightly compiler; the sanitizers do, and find what only unsafe code can do wrong.
"$fuzz" build --sanitizer none --target-dir "$target" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
host=$(rustc -vV | sed -n 's/^host: //p')
for name; do
    mkdir -p "$work/$name" "fuzz/artifacts/$name"
    # An input is as large as what it stands for may be, at most 16 kB.
    if ! "$target/$host/release/$name" "$limit" -max_len=16384 -rss_limit_mb=600 -timeout=10 -print_final_stats=1 \
        "-artifact_prefix=fuzz/artifacts/$name/" "$work/$name" "fuzz/corpus/$name" >"$work/log" 2>&1; then
        tail -n 40 "$work/log" >&2
        echo "$name: crashed" >&2
        exit 1
    fi
    sed -n "s/^stat::number_of_executed_units: */$name: no crash, runs: /p" "$work/log"
done
