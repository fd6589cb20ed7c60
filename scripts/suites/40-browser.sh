#!/usr/bin/env bash
# Client library, demo page, message board and console in a real Chromium, against real bridges that are killed, cut off and sent away.
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

Installs Chromium, PHP and Node as root on Debian or Ubuntu, and what drives Chromium (npm: playwright-core, ws) into .run;
where something cannot be had it says so and skips (77).
END
  exit
fi

handle_signals
debian="Debian, Ubuntu: sudo apt-get install nodejs npm chromium php-cli php-amqplib"
want_node || skip_suite "needs Node $oldest_node or newer ($debian)"
want_npm || skip_suite "needs npm ($debian)"
want_program chromium chromium || skip_suite "needs a chromium on the PATH ($debian)"
want_program php php-cli || skip_suite "needs php ($debian)"
want_php_amqplib || skip_suite "needs php-amqplib on PHP's include path ($debian)"

npm_packages=$run_dir/npm/browser
want_npm_packages "$npm_packages" "playwright-core@$playwright_version" "ws@$ws_version" ||
  skip_suite "npm cannot install playwright-core $playwright_version and ws $ws_version"
ensure_built

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
export PUSHBRIDGE_TEST_AMQP_URI PUSHBRIDGE_TEST_DISTRIBUTION=$distribution PUSHBRIDGE_TEST_PACKAGES=$npm_packages
PUSHBRIDGE_TEST_CHROMIUM=$(command -v chromium)
export PUSHBRIDGE_TEST_CHROMIUM
if [[ ${1:-} == --screenshots ]]; then
  want_file /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf fonts-noto-color-emoji ||
    say "There is no fonts-noto-color-emoji and no way to install it: emoji may be missing from the pictures."
  attend node "$root/bridge/client/test/browser/screenshots.mjs"
  exit
fi
flags=()
# Node 20 and 21 have a WebSocket, but only when asked.
if ! node -e 'process.exit(globalThis.WebSocket ? 0 : 1)' && node --experimental-websocket -e 0 2>/dev/null; then
  flags=(--experimental-websocket)
fi
attend node "${flags[@]}" --test "$@" "$root/bridge/client/test/browser/browser.test.mjs" \
  "$root/bridge/client/test/browser/console.test.mjs"
