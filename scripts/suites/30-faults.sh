#!/usr/bin/env bash
# Breaks bridges, a RabbitMQ and a cluster of three on purpose, and prints what that did to the messages.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=../lib/common.sh
source "$root/scripts/lib/common.sh"
# shellcheck source=../lib/tools.sh
source "$root/scripts/lib/tools.sh"
# shellcheck source=../lib/broker-node.sh
source "$root/scripts/lib/broker-node.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  echo "Runs the fault suite, with RabbitMQ nodes of its own. Arguments go to Maven, as in: -Dit.test=ClusterFaultsIT"
  exit
fi

need_jdk
need_maven
need_rabbitmq
if want_faketime; then
  export PUSHBRIDGE_TEST_FAKETIME_REQUIRED=true
else
  say "There is no libfaketime and no way to install it: the scenarios with a jumping wall clock are skipped."
fi
[[ -n ${PUSHBRIDGE_TEST_BROKER_REQUIRED+set} ]] || export PUSHBRIDGE_TEST_BROKER_REQUIRED=true
results=$root/bridge/target/faults/results.md
rm -f "$results"
# The node alone and the cluster side by side: both mostly wait.
status=0
mvn -B -ntp -f "$root/pom.xml" -Dit.groups=slow -Dit.excluded-groups= -DforkCount=2 \
  -Dtest=NoUnitTests -Dsurefire.failIfNoSpecifiedTests=false "$@" verify || status=$?
if [[ -e $results ]]; then
  {
    echo '| fault | published | delivered | dead or expired | duplicated | lost | reordered |'
    echo '| --- | ---: | ---: | ---: | ---: | ---: | ---: |'
    sort "$results"
  } >&2
fi
exit "$status"
