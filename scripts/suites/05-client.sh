#!/usr/bin/env bash
# The client library alone: unit tests in Node with a clock and a WebSocket that the tests hold in their hands, and what npm
# would publish.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=../lib/common.sh
source "$root/scripts/lib/common.sh"
# shellcheck source=../lib/tools.sh
source "$root/scripts/lib/tools.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  echo "Unit tests of bridge/client in Node. Takes no arguments."
  exit
fi

need_node
cd "$root/bridge/client"
node --test test/client.test.js

need_npm
packed=$(npm pack --dry-run --json 2>/dev/null | sed -n 's/^ *"path": "\(.*\)",*$/\1/p' | sort | tr '\n' ' ')
expected='README.md package.json pushbridge-client.d.ts pushbridge-client.js pushbridge-tabs.d.ts pushbridge-tabs.js '
[[ $packed == "$expected" ]] || die "npm pack would take: $packed" "instead of: $expected"
say "npm pack takes what it should: $packed"
