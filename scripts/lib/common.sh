# shellcheck shell=bash
# What every script here uses: messages, ports, and waiting for a child so that Ctrl-C ends things in order.
# Sourced, with `root` (the repository) already set.

: "${root:?}"
shopt -s inherit_errexit # else a failure inside $(…) goes unnoticed

# Without a UTF-8 locale, or with one that is named but not installed, Java finds no file and reads no argument whose
# name is not ASCII. A container and a minimal machine have none.
if [[ $(locale charmap 2>/dev/null || true) != UTF-8 ]]; then export LC_ALL=C.UTF-8; fi

# Where running things keep their data; git-ignored.
run_dir=${PUSHBRIDGE_RUN_DIR:-$root/.run}

# Messages go to stderr, so that what a script prints on stdout can be used by another.
say() { printf '%s\n' "$@" >&2; }

die() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  shift
  (($# == 0)) || printf '  %s\n' "$@" >&2
  exit 1
}

# Whether something accepts connections on this port of 127.0.0.1.
port_taken() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Puts a free port of 127.0.0.1 into a variable, no port twice. The range lies below the one that systems give to
# outgoing connections.
chosen_ports=' '
free_port() { # VARIABLE
  local candidate
  for _ in {1..200}; do
    candidate=$((20000 + RANDOM % 10000))
    if [[ $chosen_ports != *" $candidate "* ]] && ! port_taken "$candidate"; then
      chosen_ports+="$candidate "
      printf -v "$1" %s "$candidate"
      return
    fi
  done
  die "found no free port between 20000 and 29999 on 127.0.0.1."
}

# Becomes the name of the signal that asked this script to end.
interrupted=
attended=

# Call once in a script that uses `attend`.
handle_signals() {
  trap 'on_signal INT' INT
  trap 'on_signal TERM' TERM
  trap 'on_signal HUP' HUP
}

on_signal() {
  if [[ -z $attended ]]; then
    exit 130
  elif [[ -z $interrupted ]]; then
    interrupted=$1
    kill -TERM "$attended" 2>/dev/null || true
  else
    say "Asked again: not waiting any longer."
    kill -KILL "$attended" 2>/dev/null || true
  fi
}

# Runs a program (not a function: the signal would only reach the subshell) and waits for its end. The first
# signal this script gets reaches it as SIGTERM, once; a second one kills it. Once interrupted, later calls
# return 130 without doing anything.
attend() {
  local status=0 again=0
  [[ -z $interrupted ]] || return 130
  # A background child of a script ignores SIGINT, so the terminal's Ctrl-C is not delivered twice.
  "$@" &
  attended=$!
  wait "$attended" || status=$?
  while kill -0 "$attended" 2>/dev/null; do # the wait was cut short by a signal
    status=0
    wait "$attended" || status=$?
  done
  # The child may have ended while the signal was handled; then only this asks for its own status.
  wait "$attended" 2>/dev/null || again=$?
  ((again == 127)) || status=$again
  attended=
  return "$status"
}
