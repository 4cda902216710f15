#!/bin/sh
# Write requirements/*.txt: every package, direct or not, at one version and with its hashes, and no index address.
#   run.txt  the app                 otel.txt  the app with OpenTelemetry          dev.txt  all that and the tools
#   payment-service.txt  the app and `python -m payment_service`
#   audit.txt  what `make audit` runs, in a venv of its own
# Give UPGRADE=1 to move to the newest versions that pyproject.toml allows.
set -eu
cd "$(dirname "$0")/.."

compile() {
    target=requirements/$1.txt
    shift
    [ -z "${UPGRADE:-}" ] || rm -f "$target"
    uv pip compile "$@" --quiet --output-file "$target" --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header
}

mkdir -p requirements
compile run pyproject.toml
compile otel pyproject.toml --extra otel --constraint requirements/run.txt
compile payment-service pyproject.toml --extra payment-service --constraint requirements/otel.txt
compile dev pyproject.toml --extra otel --extra payment-service --group dev --constraint requirements/otel.txt \
    --constraint requirements/payment-service.txt
compile audit --group pyproject.toml:audit --constraint requirements/dev.txt
