#!/usr/bin/env bash
# The seeded model of the delivery core for some millions of steps, other ones every day.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=../lib/common.sh
source "$root/scripts/lib/common.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  echo "Plays random runs against the delivery core: 20-model.sh [RUNS] [SEED]; RUNS is 10000, SEED is the date."
  exit
fi

runs=${1:-10000}
seed=${2:-$(date +%Y%m%d)0000}
say "$runs runs of 600 steps from seed $seed on"
mvn -B -q -ntp -f "$root/pom.xml" test -Dtest=DeliveryCoreModelTest -Dspotless.check.skip=true \
  -DargLine="-Dpushbridge.model.runs=$runs -Dpushbridge.seed=$seed"
