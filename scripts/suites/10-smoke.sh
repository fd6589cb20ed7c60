#!/usr/bin/env bash
# What the README promises first, for real: a fresh copy, scripts/run, one publish, one arrival, Ctrl-C, nothing left;
# and all of it a second time.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=../lib/common.sh
source "$root/scripts/lib/common.sh"
# shellcheck source=../lib/tools.sh
source "$root/scripts/lib/tools.sh"
set -m # background jobs get their own process group, as from a terminal

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  echo "Starts scripts/run in a fresh copy of the repository, publishes, listens, ends it. Takes no arguments."
  exit
fi

unset "${!PUSHBRIDGE_AMQP@}" "${!PUSHBRIDGE_AUTH@}" "${!PUSHBRIDGE_SOCKET@}" "${!PUSHBRIDGE_ADMIN@}" PUSHBRIDGE_RUN_DIR
free_port PUSHBRIDGE_SOCKET_PORT
free_port PUSHBRIDGE_ADMIN_PORT
export PUSHBRIDGE_SOCKET_PORT PUSHBRIDGE_ADMIN_PORT

bare=(env -u LC_ALL -u LC_CTYPE -u LANG) # as a container or a minimal machine is

work=$(mktemp -d "${TMPDIR:-/tmp}/pushbridge-smoke.XXXXXX")
copy="$work/a clone ü" # each of the blank and the umlaut breaks things that were not quoted or need a locale
link="$work/link"
log="$work/run.log"
heard="$work/heard.log"
run_job=
listener=

clean_up() {
  local status=$?
  trap '' INT TERM HUP
  [[ -z $listener ]] || kill "$listener" 2>/dev/null || true
  if [[ -n $run_job ]] && kill -TERM "$run_job" 2>/dev/null; then wait "$run_job" 2>/dev/null || true; fi
  if ((status != 0)); then
    say "---- the end of what scripts/run said"
    tail -n 40 "$log" >&2 2>/dev/null || true
    say "---- what the client heard"
    cat "$heard" >&2 2>/dev/null || true
    say "----"
  fi
  [[ ! -x $copy/scripts/broker ]] || "$copy/scripts/broker" remove 2>/dev/null || true
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
  say "10-smoke: $1"
  exit 1
}

# Asks again and again until a condition holds.
await() { # SECONDS WHAT PROGRAM ARG…
  local what=$2 deadline=$((SECONDS + $1))
  shift 2
  until "$@"; do
    [[ -z $run_job ]] || kill -0 "$run_job" 2>/dev/null || fail "scripts/run ended while waiting until $what."
    ((SECONDS < deadline)) || fail "waited in vain until $what."
    sleep 0.2
  done
}

# Without curl, which a minimal machine does not have. Fails unless the answer is 200.
http_get() ( # PORT/PATH
  exec 3<>"/dev/tcp/127.0.0.1/${1%%/*}"
  printf 'GET /%s HTTP/1.0\r\nHost: 127.0.0.1:%s\r\n\r\n' "${1#*/}" "${1%%/*}" >&3
  read -r -t 5 _ status _ <&3
  [[ $status == 200 ]] || exit 1
  timeout 5 cat <&3
) 2>/dev/null
http_ok() { http_get "$1" >/dev/null; }
heard() { grep -q -F -e "$1" "$heard"; }
said() { grep -q -F -e "$1" "$log"; }
delivered() {
  http_get "$PUSHBRIDGE_ADMIN_PORT/metrics" |
    grep -E '^[a-z_]*delivered[a-z_]*(\{[^}]*\})? ' | grep -q -v -E ' 0(\.0)?$'
}
ended() { ! kill -0 "$1" 2>/dev/null; }

# Living processes (not zombies, which only wait for their parent) that work in the copy or were started from it.
left_over() {
  local pid
  for pid in $(pgrep -f -- "$work" || true); do
    [[ $pid == "$$" || $(ps -o stat= -p "$pid") == Z* ]] || ps -o pid=,args= -p "$pid"
  done
  for pid in /proc/[0-9]*; do
    [[ $(readlink "$pid/cwd" 2>/dev/null) != "$copy"* ]] || echo "${pid#/proc/} works in the copy"
  done
}
none_left() { [[ -z $(left_over) ]]; }

start_run() {
  # Started by a script in the background this suite ignores SIGINT, which its children would inherit.
  (cd / && exec "${bare[@]}" --default-signal=INT "$link" >>"$log" 2>&1) &
  run_job=$!
  await "$1" "the bridge is ready" http_ok "$PUSHBRIDGE_ADMIN_PORT/health/ready"
}

listen() { # USER
  : >"$heard"
  "${JAVA_HOME:+$JAVA_HOME/bin/}java" "$root/scripts/suites/smoke/Listener.java" \
    "ws://127.0.0.1:$PUSHBRIDGE_SOCKET_PORT/ws?user=$1" 120 >"$heard" 2>&1 &
  listener=$!
  await 30 "the client is connected" heard open
}

publish() { # USER TEXT SEQ
  "${bare[@]}" "$copy/scripts/publish" "user.$1" greeting "{\"text\":\"$2\"}" --seq "$3" || fail "scripts/publish failed."
}

end_run() { # SIGNAL
  local status=0 job=$run_job
  kill "-$1" -- "-$run_job" # the whole foreground group, as a terminal does
  run_job=
  await 60 "scripts/run ends after SIG$1" ended "$job"
  wait "$job" || status=$?
  ((status == 0)) || fail "scripts/run ended with $status after SIG$1, not with 0."
  await 10 "no process is left" none_left
  ! http_ok "$PUSHBRIDGE_ADMIN_PORT/health/live" || fail "something still answers on the admin port."
  status=0
  "$copy/scripts/broker" status 2>/dev/null || status=$?
  ((status == 3)) || fail "the private RabbitMQ still runs after scripts/run has ended."
  await 15 "the client has noticed" ended "$listener"
  listener=
}

need_jdk
mkdir -p "$copy"
tar -C "$root" --exclude=target --exclude=.run --exclude=.git --exclude=node_modules -cf - . | tar -C "$copy" -xf -
ln -s "$copy/scripts/run" "$link"
: >"$log"

say "Fresh copy, started through a link from another folder"
start_run 600
listen 42
publish 42 "hello ✓ 😀" 7
await 20 "the message has arrived" heard '"hello ✓ 😀"'
heard '"seq":7' || heard '"seq": 7' || fail "the message arrived without its seq."
heard '"user.42"' || fail "the message arrived without its address."
await 20 "the message is counted as delivered" delivered
http_ok "$PUSHBRIDGE_ADMIN_PORT/health/live" || fail "/health/live does not answer."
http_ok "$PUSHBRIDGE_SOCKET_PORT/" || fail "the demo page is missing."
await 20 "scripts/run says where to look" said "scripts/publish user.42 greeting"

say "A second one beside it is told about the port"
status=0
"$link" >"$work/second.log" 2>&1 || status=$?
((status != 0)) || fail "a second scripts/run on the same port did not fail."
grep -q PUSHBRIDGE_SOCKET_PORT= "$work/second.log" || fail "a second scripts/run does not say how to change the port."

say "Ctrl-C"
end_run INT

say "Once more, with what the first run left"
start_run 120
listen 43
publish 43 again 8
await 20 "the message has arrived" heard '"again"'

say "A run that ends leaves RabbitMQ to the other one"
first=$run_job
first_listener=$listener
run_job=
free_port PUSHBRIDGE_SOCKET_PORT
free_port PUSHBRIDGE_ADMIN_PORT
(cd / && exec "${bare[@]}" --default-signal=INT "$link" >"$work/second.log" 2>&1) &
run_job=$!
await 60 "the second bridge stands by" grep -q "stands by" "$work/second.log"
kill -TERM "$first"
await 60 "the first one has ended" ended "$first"
await 15 "its client has noticed" ended "$first_listener"
"$copy/scripts/broker" status 2>/dev/null || fail "the first run stopped the RabbitMQ that the second one uses."
await 30 "the second bridge has taken over" http_ok "$PUSHBRIDGE_ADMIN_PORT/health/ready"
listen 44
publish 44 "from the other one" 9
await 20 "the message has arrived" heard '"from the other one"'
end_run TERM
say "All as promised."
