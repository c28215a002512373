#!/usr/bin/env bash
# Checks the files in deploy/ with the validators of what they are for. What cannot be checked here is said, in a line that
# begins with "not checked"; it fails only for what is wrong.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/dipper
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# check WHAT COMMAND...: says whether it is sound, and how not.
check() {
    local what=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        printf 'ok           %s\n' "$what"
    else
        printf 'WRONG        %s\n' "$what"
        sed 's/^/    /' "$work/log"
        failures=$((failures + 1))
    fi
}

not_checked() { printf 'not checked  %s: %s\n' "$1" "$2"; }

# The programs from PyPI, in a folder of their own for each list of versions.
python_tools() {
    local folder
    folder=$cache/deploy-check-$(sha256sum <check-requirements.txt | cut -c1-16)
    if [[ ! -x $folder/done/bin/hadolint ]]; then
        mkdir -p "$cache"
        rm -rf "$folder"
        if ! { python3 -m venv "$folder/done" &&
            "$folder/done/bin/pip" install --quiet --disable-pip-version-check --requirement check-requirements.txt; } >&2; then
            rm -rf "$folder"
            return 1
        fi
    fi
    printf '%s\n' "$folder/done/bin"
}

# From Debian's package, unpacked: installing it would start a server.
promtool() {
    local found=$cache/promtool
    if command -v promtool; then return; fi
    if [[ ! -x $found ]]; then
        command -v apt-get >/dev/null || return 1
        (
            cd "$work"
            apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }
            dpkg -x prometheus_*.deb prometheus
        ) >&2 || return 1
        mkdir -p "$cache"
        mv "$work/prometheus/usr/bin/promtool" "$found"
    fi
    printf '%s\n' "$found"
}

check_rules() {
    local tool
    if ! tool=$(promtool 2>"$work/why"); then
        not_checked "Prometheus' rules" "no promtool on the PATH, and apt-get has no prometheus"
        return
    fi
    check "alerts.yml" "$tool" check rules alerts.yml
    check "alerts.test.yml" "$tool" test rules alerts.test.yml
    python3 dashboard-rules.py grafana/*.json >"$work/dashboards.yml"
    check "queries of grafana/*.json" "$tool" check rules "$work/dashboards.yml"
}

check_images() {
    local bin=$1
    check "Dockerfile" "$bin/hadolint" Dockerfile
    check "compose.yaml" "$bin/check-jsonschema" --builtin-schema vendor.compose-spec compose.yaml
    check "proxy/Caddyfile" "$bin/caddy" validate --config proxy/Caddyfile --adapter caddyfile
}

check_kubernetes() {
    local bin=$1 overlay kustomize=(kubectl kustomize)
    if ! command -v kubectl >/dev/null; then
        kustomize=(kustomize build)
        if ! command -v kustomize >/dev/null; then
            not_checked "kubernetes/" "neither kubectl nor kustomize on the PATH"
            return
        fi
    fi
    for overlay in kubernetes/base kubernetes/overlays/*; do
        check "$overlay: kustomize" "${kustomize[@]}" "$overlay" --output "$work/manifests.yaml"
        check "$overlay: schemas of Kubernetes 1.32" "$bin/kubernetes-validate" --strict --no-warn --quiet -k 1.32 "$work/manifests.yaml"
    done
}

# The programs that units start need not be on this machine.
check_units() {
    if ! command -v systemd-analyze >/dev/null; then
        not_checked "systemd/" "no systemd-analyze on the PATH"
        return
    fi
    local units=$work/units unit
    mkdir "$units"
    cp systemd/*.service systemd/*.target systemd/*.timer "$units"
    sed -i 's|=/usr/local/bin/[a-z-]*|=/bin/true|' "$units"/*.service
    cp "$units/dipper@.service" "$units/dipper@tick-api.service"
    check "systemd/" env "SYSTEMD_UNIT_PATH=$units:" systemd-analyze verify --man=no \
        "$units"/dipper.{service,target} "$units"/nats-server.service "$units"/dipper-backup.timer
    for unit in "$units"/*.service; do
        [[ $unit != *@.service ]] || continue
        check "exposure of ${unit##*/}" systemd-analyze security --offline=yes --threshold=20 "$unit"
    done
}

# With certificates and passwords as a deployment has them.
check_nats() {
    local server cluster
    if ! server=$(./get-nats.sh 2>"$work/why"); then
        not_checked "nats/" "$(tail -1 "$work/why")"
        return
    fi
    ./make-secrets.sh "$work/secrets" nats-1:4222,nats-2:4222,nats-3:4222 postgres:5432 2>/dev/null
    for cluster in nats/cluster.conf kubernetes/base/nats-cluster.conf systemd/cluster.conf; do
        mkdir "$work/nats"
        cp nats/*.conf "$work/nats"
        cp "$cluster" "$work/nats/cluster.conf"
        sed -i "s|/etc/nats-tls|$work/secrets/tls|" "$work"/nats/*.conf
        # shellcheck disable=SC2046 # a line a variable, without blanks
        check "nats/ with $cluster" env NATS_SERVER_NAME=nats-1 $(cat "$work/secrets/nats.env") "$server" -t -c "$work/nats/nats.conf"
        rm -r "$work/nats"
    done
}

check_rules
if bin=$(python_tools); then
    check_images "$bin"
    check_kubernetes "$bin"
else
    not_checked "Dockerfile, compose.yaml, proxy/, kubernetes/" "pip could not get check-requirements.txt"
fi
check_units
check_nats
not_checked "images and their tags" "nothing is built or pulled here"
exit $((failures > 0))
