#!/usr/bin/env bash
# Client library, demo page and message board in a real Chromium, against real bridges that are killed, cut off and sent away.
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
Tests in Chromium: 40-browser.sh [ARG…]; ARG… goes to node --test, as in: 40-browser.sh --test-name-pattern=frozen
With --screenshots it takes the README's pictures instead.

Installs Chromium, PHP and Node as root on Debian or Ubuntu, and the driver (npm, playwright-core) into .run.
END
  exit
fi

# Of those that Debian's oldest supported Node can run; it drives an installed Chromium and downloads none.
playwright=1.56.1

handle_signals
need_node
need_npm
need_program chromium chromium
need_program php php-cli
need_php_amqplib
ensure_built

driver=$run_dir/playwright-$playwright
if [[ ! -e $driver/node_modules/playwright-core/package.json ]]; then
  mkdir -p "$driver"
  say "Installing playwright-core $playwright (npm) …"
  attend npm install --silent --no-audit --no-fund --no-save --prefix "$driver" "playwright-core@$playwright" ||
    die "npm could not install playwright-core $playwright."
fi

broker() { "$root/scripts/broker" "$@" --name browser; }
clean_up() {
  local status=$?
  trap '' INT TERM HUP
  broker remove 2>/dev/null || true
  exit "$status"
}
trap clean_up EXIT
broker remove 2>/dev/null # left by a run that was killed
broker start

PUSHBRIDGE_TEST_AMQP_URI=$(broker uri)
export PUSHBRIDGE_TEST_AMQP_URI PUSHBRIDGE_TEST_DISTRIBUTION=$distribution PUSHBRIDGE_TEST_PLAYWRIGHT=$driver
PUSHBRIDGE_TEST_CHROMIUM=$(command -v chromium)
export PUSHBRIDGE_TEST_CHROMIUM
if [[ ${1:-} == --screenshots ]]; then
  attend node "$root/bridge/client/test/browser/screenshots.mjs"
  exit
fi
flags=()
# Node 20 and 21 have a WebSocket, but only when asked.
if ! node -e 'process.exit(globalThis.WebSocket ? 0 : 1)' && node --experimental-websocket -e 0 2>/dev/null; then
  flags=(--experimental-websocket)
fi
attend node "${flags[@]}" --test "$@" "$root/bridge/client/test/browser/browser.test.mjs"
