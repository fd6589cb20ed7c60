#!/usr/bin/env bash
# What docker/ has for production, checked with the tools it is for as far as they are there, and run as processes.
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
Checks Dockerfile, Compose, Kubernetes, Supervisor and systemd files, makes the secrets, the image of Java and Jib's image, and
runs the bridge with them. No arguments.

Installs Node, Supervisor, openssl, Prometheus and PyYAML as root on Debian or Ubuntu, and ws and amqplib (npm) into .run;
where something cannot be had it says so and skips (77). Docker is used to check compose.yaml where there is one.
END
  exit
fi

handle_signals
debian="Debian, Ubuntu: sudo apt-get install nodejs npm supervisor openssl prometheus python3-yaml"
need_jdk
need_maven
want_node || skip_suite "needs Node $oldest_node or newer ($debian)"
want_npm || skip_suite "needs npm ($debian)"
want_program openssl openssl || skip_suite "needs openssl ($debian)"
want_program supervisord supervisor || skip_suite "needs supervisord ($debian)"
want_python_module yaml python3-yaml || skip_suite "needs a python3 with yaml ($debian)"
npm_packages=$run_dir/npm/deployment
want_npm_packages "$npm_packages" "ws@$ws_version" "amqplib@$amqplib_version" ||
  skip_suite "npm cannot install ws $ws_version and amqplib $amqplib_version"
jlink=${JAVA_HOME:+$JAVA_HOME/bin/}jlink
command -v "$jlink" >/dev/null || skip_suite "needs a JDK with jlink"
ensure_built

broker() { "$root/scripts/broker" "$@" --name deployment; }
ctl() { "$root/scripts/broker" ctl --name deployment --quiet "$@"; }
work=$(mktemp -d "${TMPDIR:-/tmp}/pushbridge-deployment.XXXXXX")
clean_up() {
  local status=$?
  trap '' INT TERM HUP
  broker remove 2>/dev/null || true
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT

say "Secrets, and the files"
"$root/docker/stack/prepare" "$work/secrets"
before=$(sha256sum "$work"/secrets/*-* "$work"/secrets/*.json)
"$root/docker/stack/prepare" "$work/secrets"
[[ $(sha256sum "$work"/secrets/*-* "$work"/secrets/*.json) == "$before" ]] || die "prepare replaces secrets that are in use."
"$python" "$root/scripts/suites/deployment/files.py" "$root/docker" "$work/secrets" "$work/kubernetes-config.yaml"
sed -i "s|/etc/pushbridge/secrets|$work/secrets|" "$work/kubernetes-config.yaml"
"$distribution/bin/pushbridge" check-config --config "$work/kubernetes-config.yaml" >/dev/null || die "the configuration in kubernetes.yaml is wrong."
if command -v docker >/dev/null && docker compose version >/dev/null 2>&1; then
  docker compose -f "$root/docker/stack/compose.yaml" config --quiet
else
  say "There is no Docker: compose.yaml and Dockerfile are not run."
fi

if want_program promtool prometheus; then
  sed "s|/run/secrets|$work/secrets|" "$root/docker/stack/prometheus.yml" >"$work/prometheus.yml"
  cp "$root/docker/monitoring/pushbridge-alerts.yml" "$work/"
  promtool check config "$work/prometheus.yml" >&2
else
  say "There is no promtool: prometheus.yml is not checked."
fi

if command -v systemd-analyze >/dev/null && systemd-analyze --help | grep -q -e --offline; then
  sed "s|/opt/pushbridge/bin/pushbridge|$distribution/bin/pushbridge|; s|^User=pushbridge|User=daemon|" \
    "$root/docker/pushbridge.service" >"$work/pushbridge.service"
  systemd-analyze verify --man=no "$work/pushbridge.service" 2>"$work/verify" || true
  # What it says of other units, or of a machine without systemd, is not about ours.
  ! grep -F pushbridge.service "$work/verify" >&2 || die "systemd does not understand docker/pushbridge.service."
  # 0 is the safest, 100 has all rights.
  systemd-analyze security --offline=true --threshold=20 --no-pager "$work/pushbridge.service" | tail -n 1 >&2 ||
    die "docker/pushbridge.service has more rights than it should."
else
  say "There is no systemd-analyze: the unit is not checked."
fi

say "Java with the parts that the Dockerfile names"
arguments=$(sed -n 's/^RUN jlink \(.*\) --output .*$/\1/p' "$root/docker/Dockerfile")
[[ -n $arguments ]] || die "found no jlink in the Dockerfile."
# shellcheck disable=SC2086 # words on purpose
attend "$jlink" $arguments --output "$work/java"
say "$(du -sm "$work/java" | cut -f 1) MB"

say "Jib's image, without a base"
attend mvn -B -q -ntp -f "$root/pom.xml" -pl bridge -Pimage -Dimage.base=scratch jib:buildTar@image
image=$root/bridge/target/pushbridge-image.tar
tar -xOf "$image" config.json | "$python" -c '
import json, sys
config = json.load(sys.stdin)["config"]
assert config["User"] == "65532:65532", config
assert config["Entrypoint"][-1] == "pushbridge.Main", config
assert config["Cmd"] == ["serve"], config
' || die "Jib's image is not as it should be."
rm -f "$image"

broker remove 2>/dev/null # left by a run that was killed
broker start
ctl import_definitions "$work/secrets/definitions.json"
ctl delete_user guest
PUSHBRIDGE_TEST_AMQP_URI=$(broker uri)
export PUSHBRIDGE_TEST_AMQP_URI PUSHBRIDGE_TEST_DISTRIBUTION=$distribution PUSHBRIDGE_TEST_PACKAGES=$npm_packages
export PUSHBRIDGE_TEST_WORK=$work JAVA_HOME=$work/java
attend node --test "$root/scripts/suites/deployment/deployment.test.mjs"
