#!/usr/bin/env bash
# The seeded model of the delivery core for some millions of steps; other seeds play others. Seed 202611282500 is known to
# fail: a cold read is called off at an offset that nobody asked for. It is to become the default again to take the date.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=../lib/common.sh
source "$root/scripts/lib/common.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  echo "Plays random runs against the delivery core: 20-model.sh [RUNS] [SEED]; RUNS is 10000, SEED is 202611210000."
  exit
fi

runs=${1:-10000}
seed=${2:-202611210000}
say "$runs runs of 600 steps from seed $seed on"
mvn -B -q -ntp -f "$root/pom.xml" test -Dtest=DeliveryCoreModelTest -Dspotless.check.skip=true \
  -DargLine="-Dpushbridge.model.runs=$runs -Dpushbridge.seed=$seed"
