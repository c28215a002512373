#!/usr/bin/env bash
# The whole deployment on one machine, each part a process: three servers of the broker with TLS and three copies of each stream,
# PostgreSQL, every service with a login of its own, a folder that takes its mails, and the proxy if there is a Caddy.
#   deploy/cluster.sh FOLDER [DIPPER]
# FOLDER is made and kept; DIPPER is the program, by default the one that cargo has built. It runs until Ctrl-C or SIGTERM, which
# stop everything in order. CLUSTER_PORT (9000) is the first of a hundred ports that it uses; CADDY names a Caddy,
# by default the one on the PATH.
# Functions are also called by traps and by until_true:
# shellcheck disable=SC2317
set -euo pipefail
umask 077

services=(tick-api auth-api user-api score-model notifier statistics admin-api)
first=${CLUSTER_PORT:-9000}
patience=90

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

(($# == 1 || $# == 2)) || fail "usage: deploy/cluster.sh FOLDER [DIPPER]"
deploy=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
dipper=${2:-}
for built in release debug; do
    if [[ -z $dipper && -x ${CARGO_TARGET_DIR:-$deploy/../target}/$built/dipper ]]; then
        dipper=${CARGO_TARGET_DIR:-$deploy/../target}/$built/dipper
    fi
done
[[ -x $dipper ]] || fail "there is no dipper; build it with cargo build --release -p dipper"
nats_server=$("$deploy/get-nats.sh")
postgres=${DIPPER_TEST_POSTGRES:-$("$deploy/get-postgres.sh")}
caddy=${CADDY:-$(command -v caddy || true)}
mkdir -p "$folder/log"

# However we end, Linux ends whom we have started.
leash=()
if command -v setpriv >/dev/null; then leash=(setpriv --pdeathsig=TERM); fi

# Process ids: of what the services need, and of the services with the proxy.
below=() above=()

# start WHICH NAME COMMAND...: in the background, with a log of its own.
start() {
    local -n which=$1
    local name=$2
    shift 2
    "${leash[@]}" "$@" >>"$folder/log/$name.log" 2>&1 &
    which+=($!)
}

# Services first, then what they need.
stop_all() {
    trap '' INT TERM
    if ((${#above[@]} > 0)); then
        kill -TERM "${above[@]}" 2>/dev/null || true
        wait "${above[@]}" 2>/dev/null || true
    fi
    kill -TERM "${below[@]}" 2>/dev/null || true
    wait
    printf 'cluster stopped\n'
}

# until_true WHAT COMMAND...: waits for a condition.
until_true() {
    local what=$1 end=$((SECONDS + patience))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || fail "$what: not within $patience s; see $folder/log"
        sleep 0.2
    done
}

answers() { curl --silent --fail --noproxy '*' --max-time 2 "http://127.0.0.1:$1$2"; }

psql() { "$postgres/psql" --quiet --no-psqlrc --host="$folder/postgres" --port=$((first + 30)) --username=postgres "$@"; }

start_postgres() {
    local data=$folder/postgres as_server=()
    # PostgreSQL refuses to run as root.
    if ((EUID == 0)); then as_server=(setpriv --pdeathsig=TERM --reuid=postgres --regid=postgres --clear-groups); fi
    if [[ ! -d $data ]]; then
        mkdir "$data"
        if ((EUID == 0)); then chown postgres: "$data" && chmod o+x "$folder"; fi
        # Its socket lies in its folder, which nobody else may enter.
        "${as_server[@]}" "$postgres/initdb" --pgdata="$data" --username=postgres --auth-local=trust \
            --auth-host=scram-sha-256 --encoding=UTF8 --locale=C >>"$folder/log/postgres.log"
        cat "$deploy/postgresql.conf" >>"$data/postgresql.conf"
    fi
    start below postgres "${as_server[@]}" "$postgres/postgres" -D "$data" -p $((first + 30)) -k "$data" -c listen_addresses=127.0.0.1
    until_true "PostgreSQL answers" psql --command 'SELECT 1'
    if [[ -z $(psql --tuples-only --command "SELECT 1 FROM pg_database WHERE datname = 'dipper'") ]]; then
        psql --command 'CREATE DATABASE dipper'
        psql --dbname=dipper --file="$deploy/postgresql-role.sql"
        POSTGRES_USER=postgres POSTGRES_DB=dipper POSTGRES_PASSWORD=$(cat "$folder/secrets/database-password") \
            PGHOST=$data PGPORT=$((first + 30)) PATH="$postgres:$PATH" "$deploy/postgresql-password.sh" >>"$folder/log/postgres.log"
    fi
}

# configure_nats NUMBER: the files that every deployment has, with paths and ports of this one.
configure_nats() {
    local own=$folder/nats-$1 route routes=()
    mkdir -p "$own"
    for route in 1 2 3; do routes+=("\"nats://127.0.0.1:$((first + 20 + route))\""); done
    cp "$deploy"/nats/*.conf "$own"
    sed -i "s|\"/var/lib/nats\"|\"$own/store\"|; s|/etc/nats-tls|$folder/secrets/tls|
        s|^listen: .*|listen: \"127.0.0.1:$((first + $1))\"|; s|^http: .*|http: \"127.0.0.1:$((first + 10 + $1))\"|
        s|^  listen: .*|  listen: \"127.0.0.1:$((first + 20 + $1))\"|
        s|^  routes: .*|  routes: [$(IFS=,; echo "${routes[*]}")]|" "$own/nats.conf" "$own/cluster.conf"
}

start_nats() {
    local number passwords
    mapfile -t passwords <"$folder/secrets/nats.env"
    for number in 1 2 3; do
        configure_nats "$number"
        start below "nats-$number" env "NATS_SERVER_NAME=nats-$number" "${passwords[@]}" \
            "$nats_server" --config "$folder/nats-$number/nats.conf"
    done
    for number in 1 2 3; do until_true "nats-$number is healthy" answers $((first + 10 + number)) /healthz; done
}

# settings NAME: of a service; its login is its own.
settings() {
    cat "$folder/secrets/dipper.env"
    printf '%s\n' "DIPPER_DATA_DIR=$folder/data" "DIPPER_NATS_CREDENTIALS=$folder/secrets/$1.json" \
        "DIPPER_NATS_MONITORING=127.0.0.1:$((first + 11)),127.0.0.1:$((first + 12)),127.0.0.1:$((first + 13))" \
        DIPPER_NATS_REPLICAS=3 "DIPPER_PUBLIC_URL=$public" "DIPPER_SMTP_URL=smtp://127.0.0.1:$((first + 40))" \
        "DIPPER_NATS_TLS_CA=$folder/secrets/tls/authority.pem" "DIPPER_SCAN=$folder/postgres,$folder/nats-1,$folder/nats-2,$folder/nats-3"
}

start_services() {
    local place name own
    for place in "${!services[@]}"; do
        name=${services[place]}
        mapfile -t own < <(settings "$name")
        start above "$name" env "${own[@]}" "$dipper" serve "$name" --listen "127.0.0.1:$((first + 81 + place))"
    done
    for place in "${!services[@]}"; do until_true "${services[place]} is ready" answers $((first + 81 + place)) /readyz; done
}

start_proxy() {
    local place upstreams=()
    for place in "${!services[@]}"; do
        upstreams+=("UPSTREAM_$(tr 'a-z-' 'A-Z_' <<<"${services[place]}")=127.0.0.1:$((first + 81 + place))")
    done
    { printf '{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n'; cat "$deploy/proxy/Caddyfile"; } >"$folder/Caddyfile"
    start above proxy env "PUBLIC_DOMAIN=https://localhost:$((first + 80))" "XDG_DATA_HOME=$folder/proxy" "${upstreams[@]}" \
        "$caddy" run --config "$folder/Caddyfile" --adapter caddyfile
    until_true "the proxy answers" curl --silent --fail --insecure --noproxy '*' --max-time 2 "$public/api/v1/feed"
}

if [[ -x $caddy ]]; then public=https://localhost:$((first + 80)); else public=http://127.0.0.1:$((first + 81)); fi
if [[ ! -d $folder/secrets ]]; then
    hosts=127.0.0.1:$((first + 1)),127.0.0.1:$((first + 2)),127.0.0.1:$((first + 3))
    "$deploy/make-secrets.sh" "$folder/secrets" "$hosts" "127.0.0.1:$((first + 30))"
fi
trap stop_all EXIT
trap 'exit 0' INT TERM
start_postgres
start_nats
start below mail python3 "$deploy/mail-sink.py" $((first + 40)) "$folder/mail"
start_services
if [[ -x $caddy ]]; then start_proxy; else printf 'no Caddy here: no proxy, so each service is at a port of its own from %s on\n' $((first + 81)); fi
printf 'cluster ready %s\n' "$public"
# Whichever ends first; a signal ends the wait.
wait -n || true
fail "a part ended; see $folder/log"
