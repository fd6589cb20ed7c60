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
  cat <<END
Unit tests of bridge/client in Node, what npm packs of it, and its types. Takes no arguments.

Installs Node and npm as root on Debian or Ubuntu, and TypeScript (npm) into .run; where something cannot be had it says so
and skips.
END
  exit
fi

typescript=5.9.3

handle_signals
want_node || skip_suite "needs Node $oldest_node or newer (Debian, Ubuntu: sudo apt-get install nodejs)"
cd "$root/bridge/client"
attend node --test test/client.test.js test/tabs.test.js

want_npm || skip_suite "the unit tests passed, but to pack and to check the types it needs npm (Debian, Ubuntu: sudo apt-get install npm)"
work=$(mktemp -d "${TMPDIR:-/tmp}/pushbridge-client.XXXXXX")
trap 'rm -rf "$work"' EXIT
# What somebody gets who installs it.
attend npm pack --silent --pack-destination "$work" >/dev/null || die "npm pack failed."
archive=("$work"/pushbridge-client-*.tgz)
packed=$(tar -tzf "${archive[0]}" | sort | tr '\n' ' ')
expected='package/README.md package/package.json package/pushbridge-client.d.ts package/pushbridge-client.js'
expected+=' package/pushbridge-tabs.d.ts package/pushbridge-tabs.js '
[[ $packed == "$expected" ]] || die "npm pack takes: $packed" "instead of: $expected"
cp test/user.ts test/user.mjs "$work/"
cat >"$work/package.json" <<<'{"private": true}'
attend npm install --silent --no-audit --no-fund --offline --prefix "$work" "${archive[0]}" || die "what npm packed cannot be installed."
(cd "$work" && node user.mjs) || die "what npm packed does not work."
say "npm packs what works: $packed"

want_npm_packages "$run_dir/npm/client" "typescript@$typescript" ||
  skip_suite "all else passed, but npm cannot install typescript $typescript to check the types with"
# As a bundler, and as Node itself, look for the types of a package.
for module in esnext:bundler nodenext:nodenext; do
  (cd "$work" && node "$run_dir/npm/client/node_modules/typescript/bin/tsc" --noEmit --strict --target es2022 --lib es2022,dom \
    --module "${module%:*}" --moduleResolution "${module#*:}" user.ts) || die "the types are wrong ($module)."
done
say "The types say what the library does."
