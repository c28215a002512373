#!/bin/sh
# A nats-server for tests that harm its store: what stands in a file beside its configuration is
# done once while the server is down.
set -eu
folder=$(dirname "${2:-.}")
if [ "$1" = -c ] && [ -f "$folder/harm.sh" ]; then
    sh "$folder/harm.sh"
    rm "$folder/harm.sh"
fi
exec "${DIPPER_TEST_NATS_SERVER:-nats-server}" "$@"
