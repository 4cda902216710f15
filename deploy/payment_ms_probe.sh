#!/bin/sh
# Runs the command it is given if the app says that the Payment MS refuses a key that worked: payment_ms_probe.sh COMMAND…
# It asks the app's /readyz and not the Payment MS: a call of a probe could meet one of ours, which is what breaks it.
# Does nothing for a key that never worked: that may be a wrong setting, which no restart mends.
set -eu

app="${APP_URL:-http://localhost:8081}"
[ "$#" -gt 0 ] || { echo "payment_ms_probe.sh: name the command that restarts the Payment MS" >&2; exit 2; }

ready=$(curl --silent --show-error --max-time 10 "$app/readyz")
case "$ready" in
    *"It refuses a key that worked"*)
        echo "payment_ms_probe.sh: the Payment MS has lost its database connection; running: $*" >&2
        exec "$@"
        ;;
esac
