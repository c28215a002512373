#!/bin/sh
# Makes what a deployment keeps secret, once: make-secrets.sh DIR NATS_HOSTS DATABASE_HOST
#   DIR            a folder that is not there yet
#   NATS_HOSTS     the broker's servers as host:port, separated by commas
#   DATABASE_HOST  host:port of PostgreSQL
# In DIR afterwards:
#   dipper.env      settings that are secret, for every service
#   nats.env        the broker's passwords, for its servers
#   NAME.json       the login of a service, and those of the operator. Streams are made by whoever has the login `setup`:
#                   UserAPI, which changes them for erasures as well, and the operator
#   tls/            an authority of the broker's own, and the certificate of its servers
#   database-password
# Run as root, files go to user 10001, which is that of the image; otherwise they stay the caller's.
set -eu

services="tick-api auth-api user-api score-model notifier statistics admin-api"
user=10001

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

[ $# -eq 3 ] || fail "usage: make-secrets.sh DIR NATS_HOSTS DATABASE_HOST"
directory=$1 nats_hosts=$2 database_host=$3
command -v openssl >/dev/null || fail "openssl is needed for passwords and certificates."
[ ! -e "$directory" ] || fail "$directory is there already; secrets are made once."

umask 077
mkdir -p "$directory/tls"
cd "$directory"

# Begins with a letter: nats-server would read some of the others as numbers.
secret() { printf 's%s\n' "$(openssl rand -hex 32)"; }

# tls://a:1,tls://b:2
nats_url() { printf 'tls://%s\n' "$nats_hosts" | sed 's|,|,tls://|g'; }

login() { printf '    "%s": {"user": "%s", "password": "%s"}' "$1" "$1" "$(cat ".$1")"; }

# credentials NAME...: a file with these logins and no other.
credentials() {
    printf '{\n  "url": "%s",\n  "users": {\n' "$(nats_url)"
    login "$1"
    shift
    for other; do
        printf ',\n'
        login "$other"
    done
    printf '\n  }\n}\n'
}

make_logins() {
    for name in $services setup operator; do
        secret >".$name"
        variable=$(printf %s "$name" | tr 'a-z-' 'A-Z_')
        printf 'DIPPER_NATS_PASSWORD_%s=%s\n' "$variable" "$(cat ".$name")" >>nats.env
    done
    for name in $services; do credentials "$name" >"$name.json"; done
    for name in user-api operator; do credentials "$name" setup >"$name.json"; done
    for name in $services setup operator; do rm ".$name"; done
}

# The names and addresses that the servers' certificate is for; localhost for who asks on the machine itself.
alternative_names() {
    printf 'DNS:localhost,IP:127.0.0.1'
    printf '%s\n' "$nats_hosts" | tr ',' '\n' | sed 's/:[0-9]*$//' | sort -u | while read -r host; do
        case $host in
        127.0.0.1) ;;
        *[!0-9.]*) printf ',DNS:%s' "$host" ;;
        *) printf ',IP:%s' "$host" ;;
        esac
    done
}

make_certificates() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=Dipper broker authority" \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign" \
        -keyout tls/authority.key -out tls/authority.pem 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=nats" \
        -keyout tls/server.key -out tls/server.csr 2>/dev/null
    printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$(alternative_names)" >tls/extensions
    openssl x509 -req -in tls/server.csr -CA tls/authority.pem -CAkey tls/authority.key -CAcreateserial -days 825 \
        -extfile tls/extensions -out tls/server.pem 2>/dev/null
    rm tls/server.csr tls/extensions tls/authority.srl
}

make_settings() {
    secret >database-password
    cat >dipper.env <<SETTINGS
DIPPER_SECRET=$(secret)
DIPPER_DATABASE_URL=postgres://dipper:$(cat database-password)@$database_host/dipper
SETTINGS
}

make_logins
make_certificates
make_settings
if [ "$(id -u)" -eq 0 ]; then
    chown $user:$user ./*.json tls/*.pem tls/server.key
fi
printf 'made %s; keep a copy of it elsewhere, and tls/authority.key only there\n' "$directory" >&2
