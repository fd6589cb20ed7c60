#!/usr/bin/env bash
# Checks the alert rules for Prometheus and plays them through; needs promtool.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=../lib/common.sh
source "$root/scripts/lib/common.sh"
# shellcheck source=../lib/tools.sh
source "$root/scripts/lib/tools.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  echo "Checks docker/monitoring with Prometheus' own tool. No arguments."
  exit
fi

if ! want_program promtool prometheus; then
  say "There is no promtool and no way to install it: the alert rules are not checked."
  exit 0
fi
cd "$root/docker/monitoring"
promtool check rules pushbridge-alerts.yml
promtool test rules pushbridge-alerts-test.yml
# What a dashboard asks must be a question that Prometheus understands. Its variables are Grafana's.
queries=$(mktemp -d)
trap 'rm -rf "$queries"' EXIT
{
  printf 'groups:\n  - name: dashboard\n    rules:\n'
  sed -n 's/^ *"expr": "\(.*\)",$/\1/p' pushbridge-dashboard.json |
    sed 's/\\"/"/g; s/\$__rate_interval/5m/g; s/\$job/pushbridge/g' |
    awk -v q="'" '{ printf "      - record: panel:query%d\n        expr: %s%s%s\n", NR, q, $0, q }'
} >"$queries/dashboard.yml"
(($(grep -c expr: "$queries/dashboard.yml") > 30)) || die "found no queries in pushbridge-dashboard.json"
promtool check rules "$queries/dashboard.yml"
