#!/bin/sh
# Make sure that what the tests drive is here: a browser, Redis, HAProxy, nginx, what reads the files of deploy/, fonts for Japanese and Arabic; Node and Go too,
# without which the tests of their clients are left out, and Prometheus's promtool, without which those of the alerts are.
# With `clients`: only Node and Go with its library. With `postgres`: PostgreSQL, for the longest proofs. With `engines`: what `make test-browsers` drives instead, Firefox and
# WebKitGTK with a screen that nobody sees.
# Installs the missing ones where this user may (Debian, root), else prints the line to type and fails.
set -eu

missing=""
need() { missing="$missing $1"; }

need_browser_and_servers() {
    command -v chromium >/dev/null || need chromium
    command -v redis-server >/dev/null || need redis-server
    command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ] || need haproxy
    command -v fc-list >/dev/null || need fontconfig
    [ -n "$(fc-list :lang=ar family 2>/dev/null | grep -i noto)" ] || need fonts-noto-core
    [ -n "$(fc-list :lang=ja family 2>/dev/null)" ] || need fonts-noto-cjk
}

need_languages() {
    command -v node >/dev/null || need nodejs
    command -v npm >/dev/null || need npm
    command -v go >/dev/null || need golang-go
    [ -d /usr/share/gocode/src/github.com/golang-jwt/jwt ] || need golang-github-golang-jwt-jwt-dev
}

need_deployment() {
    command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || need nginx-light
    command -v kubectl >/dev/null || need kubernetes-client
    command -v bwrap >/dev/null || need bubblewrap
    command -v systemd-analyze >/dev/null || need systemd
}

need_promtool() {
    command -v promtool >/dev/null || need prometheus
}

need_engines() {
    command -v firefox-esr >/dev/null || need firefox-esr
    command -v WebKitWebDriver >/dev/null || need webkit2gtk-driver
    command -v Xvfb >/dev/null || need xvfb
    /usr/bin/python3 -c 'import gi; gi.require_version("WebKit2", "4.1")' 2>/dev/null || need "python3-gi gir1.2-webkit2-4.1"
}

need_postgres() {
    ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || need postgresql
}

install_missing() {
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing for the tests:$missing"
        # Services of these packages must not start by themselves: the tests start their own.
        export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
        apt-get update -qq
        # shellcheck disable=SC2086
        apt-get install -y -qq --no-install-recommends $missing </dev/null >/dev/null
    else
        echo "The tests need these system packages:$missing. On Debian or Ubuntu, type:" >&2
        echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
        return 1
    fi
}

case "${1:-}" in
engines) need_engines && install_missing ;;
clients) need_languages && install_missing ;;
postgres) need_postgres && install_missing ;;
*)
    need_browser_and_servers
    need_deployment
    install_missing
    missing=""
    need_languages
    install_missing || echo "The tests of the clients for Node and Go are left out." >&2
    missing=""
    need_promtool
    install_missing || echo "The tests in which alerts fire are left out." >&2
    ;;
esac
