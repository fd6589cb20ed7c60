#!/usr/bin/env bash
# Fuzzes whatever reads bytes of others, for a short time each; what it finds becomes an input that every build replays.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=../lib/common.sh
source "$root/scripts/lib/common.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  echo "Fuzzes envelopes, client frames, frame headers, handshakes and records of the held log, 10 s each: 25-fuzz.sh [CLASS…]"
  echo "An input that fails is left in bridge/src/test/resources/…Inputs, where it stays as a test once mended."
  exit
fi

# One class a process: that is how Jazzer fuzzes. How long is in the classes.
classes=("$@")
if ((${#classes[@]} == 0)); then
  mapfile -t classes < <(cd "$root/bridge/src/test/java" && find . -name '*FuzzTest.java' -printf '%f\n' | sed 's/\.java$//' | sort)
fi
status=0
for class in "${classes[@]}"; do
  say "$class"
  JAZZER_FUZZ=1 mvn -B -q -ntp -f "$root/pom.xml" test -Dtest="$class" -Dspotless.check.skip=true \
    -Dsurefire.failIfNoSpecifiedTests=false || status=$?
done
exit "$status"
