#!/usr/bin/env bash
# Every example of bridge/examples, by users of RabbitMQ with the rights of docker/rabbitmq/definitions.json.
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
Runs the examples: 46-examples.sh [ARG…]; ARG… goes to node --test, as in: 46-examples.sh --test-name-pattern=Python

Installs PHP, pika, amqp-tools, Chromium and Node as root on Debian or Ubuntu, and ws, amqplib and playwright-core (npm) into
.run; where something cannot be had it says so and skips (77).
END
  exit
fi

handle_signals
debian="Debian, Ubuntu: sudo apt-get install nodejs npm chromium php-cli php-amqp php-amqplib python3-pika amqp-tools"
need_jdk
want_node || skip_suite "needs Node $oldest_node or newer ($debian)"
want_npm || skip_suite "needs npm ($debian)"
want_program chromium chromium || skip_suite "needs a chromium on the PATH ($debian)"
want_program php php-cli || skip_suite "needs php ($debian)"
want_php_amqplib || skip_suite "needs php-amqplib on PHP's include path ($debian)"
want_php_extension amqp php-amqp || skip_suite "needs PHP's extension amqp ($debian)"
want_python_module pika python3-pika || skip_suite "needs a python3 with pika ($debian)"
want_program amqp-publish amqp-tools || skip_suite "needs amqp-publish ($debian)"
npm_packages=$run_dir/npm/examples
want_npm_packages "$npm_packages" "ws@$ws_version" "amqplib@$amqplib_version" "playwright-core@$playwright_version" ||
  skip_suite "npm cannot install ws $ws_version, amqplib $amqplib_version and playwright-core $playwright_version"
ensure_built

broker() { "$root/scripts/broker" "$@" --name examples; }
ctl() { "$root/scripts/broker" ctl --name examples --quiet "$@"; }
work=$(mktemp -d "${TMPDIR:-/tmp}/pushbridge-examples.XXXXXX")
clean_up() {
  local status=$?
  trap '' INT TERM HUP
  broker remove 2>/dev/null || true
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
broker remove 2>/dev/null # left by a run that was killed
broker start

ctl import_definitions "$root/docker/rabbitmq/definitions.json"
uri=$(broker uri)
for user in push app monitoring; do
  ! ctl authenticate_user "$user" '' >/dev/null 2>&1 || die "$user can log in before it has a password."
  ctl change_password "$user" "secret-of-$user" >/dev/null
done
# Who waits for receipts, with the rights that the examples' README.md gives it.
ctl add_user asker secret-of-asker >/dev/null
ctl set_permissions -p / asker '^receipts\..+$' '^(push|receipts\..+)$' '^(push\.receipts|receipts\..+)$'
ctl set_topic_permissions -p / asker push '^(user|channel)\..+$' '^$'
ctl set_topic_permissions -p / asker push.receipts '^$' '^receipts\..+$'
ctl delete_user guest
as() { printf %s "${uri/guest:guest/$1:secret-of-$1}"; }
PUSHBRIDGE_TEST_AMQP_URI=$(as push)
PUSHBRIDGE_TEST_BRIDGE_URI=$(as push)
PUSHBRIDGE_TEST_APP_URI=$(as app)
PUSHBRIDGE_TEST_MONITORING_URI=$(as monitoring)
PUSHBRIDGE_TEST_ASKER_URI=$(as asker)
PUSHBRIDGE_TEST_CHROMIUM=$(command -v chromium)
export PUSHBRIDGE_TEST_AMQP_URI PUSHBRIDGE_TEST_BRIDGE_URI PUSHBRIDGE_TEST_APP_URI PUSHBRIDGE_TEST_MONITORING_URI
export PUSHBRIDGE_TEST_ASKER_URI PUSHBRIDGE_TEST_CHROMIUM PUSHBRIDGE_TEST_DISTRIBUTION=$distribution PUSHBRIDGE_TEST_PACKAGES=$npm_packages
export PUSHBRIDGE_TEST_WORK=$work PUSHBRIDGE_TEST_PYTHON=$python
attend node --test "$@" "$root/scripts/suites/examples/examples.test.mjs"
