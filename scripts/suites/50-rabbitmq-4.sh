#!/usr/bin/env bash
# The integration tests on RabbitMQ 4.0, as Debian trixie has it, beside whatever the machine itself has.
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
# shellcheck source=../lib/common.sh
source "$root/scripts/lib/common.sh"
# shellcheck source=../lib/tools.sh
source "$root/scripts/lib/tools.sh"

case ${1:-} in
  -h | --help)
    echo "Unpacks Debian trixie's RabbitMQ into a folder and runs the integration tests on it. Arguments go to Maven," \
      "as in: -Dit.test=CopyPublisherIT"
    exit
    ;;
esac

if [[ ${PUSHBRIDGE_TEST_RABBITMQ_4:-} != true ]]; then
  say "50-rabbitmq-4: runs only with PUSHBRIDGE_TEST_RABBITMQ_4=true, since it takes long: skipped."
  exit
fi
if ! can_install; then
  say "50-rabbitmq-4: needs root on Debian to unpack another RabbitMQ: skipped."
  exit
fi
if ! unshare --mount --propagation private true 2>/dev/null; then
  say "50-rabbitmq-4: this machine lets nobody mount anything, as most containers: skipped."
  exit
fi
if [[ -z ${rabbitmq4_inside:-} ]]; then
  # Mounts of its own, which end with it, however it ends.
  exec env rabbitmq4_inside=yes unshare --mount --propagation private "${BASH_SOURCE[0]}" "$@"
fi
unset rabbitmq4_inside

command -v debootstrap >/dev/null || install_packages debootstrap
need_jdk
need_maven
work=$(mktemp -d "${TMPDIR:-/tmp}/pushbridge-rabbitmq4.XXXXXX")
clean_up() {
  local status=$?
  trap '' INT TERM HUP
  [[ ! -x $work/copy/scripts/broker ]] || "$work/copy/scripts/broker" remove --name test 2>/dev/null || true
  # Not into what is mounted there.
  umount "$system/proc" "$system$work" 2>/dev/null || true
  rm -rf --one-file-system "$work" "$system"
  exit "$status"
}
system=$(mktemp -d "${TMPDIR:-/tmp}/pushbridge-trixie.XXXXXX")
trap clean_up EXIT
handle_signals

say "Unpacking Debian trixie with RabbitMQ …"
if ! attend debootstrap --variant=minbase --include=rabbitmq-server trixie "$system" >"$work/debootstrap.log" 2>&1; then
  tail -n 5 "$work/debootstrap.log" >&2
  die "debootstrap could not unpack it; its last lines are above."
fi

# The same paths within as without, so that its programs find the folders that the tests give them.
mkdir -p "$system$work" "$work/bin"
mount --bind "$work" "$system$work"
mount -t proc proc "$system/proc"
for program in "$system"/usr/lib/rabbitmq/bin/rabbitmq*; do
  name=${program##*/}
  # shellcheck disable=SC2016 # expanded by the inner shell
  printf '#!/bin/sh\nexec chroot "%s" /bin/sh -c '\''cd "$0" 2>/dev/null; exec /usr/lib/rabbitmq/bin/%s "$@"'\'' "$PWD" "$@"\n' \
    "$system" "$name" >"$work/bin/$name"
  chmod +x "$work/bin/$name"
done

# A copy, so that the reports of the other tests stay what they are.
mkdir "$work/copy"
tar -C "$root" --exclude=target --exclude=.run --exclude=.git --exclude=node_modules -cf - . | tar -C "$work/copy" -xf -
export PUSHBRIDGE_RABBITMQ_SERVER=$work/bin/rabbitmq-server TMPDIR=$work
unset PUSHBRIDGE_RUN_DIR
say "RabbitMQ $("$work/bin/rabbitmqctl" version)"
attend "$work/copy/scripts/test" -- -Dtest=NoUnitTests -Dsurefire.failIfNoSpecifiedTests=false -Dspotless.check.skip=true "$@"
