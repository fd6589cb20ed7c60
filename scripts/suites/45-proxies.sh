#!/usr/bin/env bash
# nginx, HAProxy and Caddy with the files of docker/proxy, in front of real bridges.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=../lib/common.sh
source "$root/scripts/lib/common.sh"
# shellcheck source=../lib/tools.sh
source "$root/scripts/lib/tools.sh"
# shellcheck source=../lib/build.sh
source "$root/scripts/lib/build.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  cat <<END
Tests the reverse proxies: 45-proxies.sh [ARG…]; ARG… goes to node --test, as in: 45-proxies.sh --test-name-pattern=caddy

Installs nginx, HAProxy, Caddy, openssl and Node as root on Debian or Ubuntu, and ws and amqplib (npm) into .run; where
something cannot be had it says so and skips (77).
END
  exit
fi

handle_signals
debian="Debian, Ubuntu: sudo apt-get install nodejs npm nginx-light haproxy caddy openssl"
want_node || skip_suite "needs Node $oldest_node or newer ($debian)"
want_npm || skip_suite "needs npm ($debian)"
export PATH=$PATH:/usr/sbin:/sbin # where Debian has them
want_program nginx nginx-light || skip_suite "needs nginx ($debian)"
want_program haproxy haproxy || skip_suite "needs haproxy ($debian)"
want_program caddy caddy || skip_suite "needs caddy ($debian)"
want_program openssl openssl || skip_suite "needs openssl ($debian)"
((EUID == 0)) || skip_suite "nginx of a distribution keeps its files where only root may write"
npm_packages=$run_dir/npm/deployment
want_npm_packages "$npm_packages" "ws@$ws_version" "amqplib@$amqplib_version" ||
  skip_suite "npm cannot install ws $ws_version and amqplib $amqplib_version"
ensure_built

broker() { "$root/scripts/broker" "$@" --name proxies; }
work=$(mktemp -d "${TMPDIR:-/tmp}/pushbridge-proxies.XXXXXX")
clean_up() {
  local status=$?
  trap '' INT TERM HUP
  broker remove 2>/dev/null || true
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
chmod 755 "$work" # nginx' processes are another user's
broker remove 2>/dev/null # left by a run that was killed
broker start

make_certificate "$work" push.example.com || die "openssl could not make a certificate."
PUSHBRIDGE_TEST_AMQP_URI=$(broker uri)
export PUSHBRIDGE_TEST_AMQP_URI PUSHBRIDGE_TEST_DISTRIBUTION=$distribution PUSHBRIDGE_TEST_PACKAGES=$npm_packages
export PUSHBRIDGE_TEST_WORK=$work
attend node --test "$@" "$root/scripts/suites/proxies/proxies.test.mjs"
