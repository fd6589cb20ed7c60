# shellcheck shell=bash
# Makes sure of the tools: uses what is there, installs it as root on Debian or Ubuntu, else says what to install.
# Sourced after common.sh.

oldest_java=17
oldest_maven=3.8.7

# Whether packages can be installed without asking anybody.
can_install() { ((EUID == 0)) && command -v apt-get >/dev/null && command -v dpkg >/dev/null; }

# Installs Debian packages. No service is started meanwhile: a RabbitMQ on the default ports was not asked for.
install_packages() (
  set -euo pipefail
  # One at a time: two would be in each other's way at apt-get's locks and at the policy below.
  if command -v flock >/dev/null; then
    exec 8</usr/sbin
    flock 8
  fi
  log=$(mktemp)
  policy=/usr/sbin/policy-rc.d
  ours=
  # shellcheck disable=SC2317 # reached through the trap
  undo() {
    rm -f "$log"
    if [[ -n $ours ]]; then
      rm -f "$policy"
      [[ ! -e $policy.before-pushbridge ]] || mv "$policy.before-pushbridge" "$policy"
    fi
  }
  trap undo EXIT
  if ! { [[ -x $policy ]] && ! "$policy" rabbitmq-server start >/dev/null 2>&1; }; then
    [[ ! -e $policy ]] || mv "$policy" "$policy.before-pushbridge"
    ours=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  say "Installing $* (apt-get) …"
  export DEBIAN_FRONTEND=noninteractive
  # Lists that cannot be refreshed may still be good enough; the install itself decides.
  apt-get update >"$log" 2>&1 8<&- || true
  # A new machine often updates itself first; that is waited for.
  if ! apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" >>"$log" 2>&1 8<&-; then
    tail -n 15 "$log" >&2
    die "apt-get could not install $*; its last words are above."
  fi
)

# What to type to have these packages and all others that will be asked for next.
debian_advice() { # PACKAGE…
  local missing=("$@")
  command -v mvn >/dev/null || missing+=(maven)
  [[ -n ${PUSHBRIDGE_AMQP_URI:-}${PUSHBRIDGE_RABBITMQ_SERVER:-} || -x /usr/lib/rabbitmq/bin/rabbitmq-server ]] ||
    command -v docker >/dev/null || missing+=(rabbitmq-server)
  printf 'Debian, Ubuntu: sudo apt-get install %s' "${missing[*]}"
}

# The major version of the JDK in a folder; nothing when there is none.
jdk_version() {
  [[ -x $1/bin/javac ]] || return 0
  "$1/bin/javac" -version 2>&1 | sed -n 's/^javac \(1\.\)\{0,1\}\([0-9]*\).*/\2/p'
}

# The folder of the newest installed JDK of at least this major version; nothing when there is none.
newest_jdk() {
  local home version best='' best_version=$(($1 - 1))
  for home in /usr/lib/jvm/*; do
    version=$(jdk_version "$home")
    if [[ -n $version ]] && ((version > best_version)); then
      best=$home
      best_version=$version
    fi
  done
  printf '%s' "$best"
}

need_jdk() {
  local found package
  if [[ -n ${JAVA_HOME:-} ]]; then
    found=$(jdk_version "$JAVA_HOME")
    ((${found:-0} >= oldest_java)) || die "JAVA_HOME=$JAVA_HOME is not a JDK $oldest_java or newer." \
      "Set it to one, or unset it to let this script look."
    return
  fi
  if command -v javac >/dev/null; then
    found=$(readlink -f "$(command -v javac)")
    found=$(jdk_version "${found%/bin/javac}")
    ((${found:-0} < oldest_java)) || return 0
  fi
  found=$(newest_jdk "$oldest_java")
  if [[ -z $found ]] && can_install; then
    for package in "openjdk-$oldest_java-jdk-headless" default-jdk-headless; do
      if install_packages "$package"; then break; fi
    done
    found=$(newest_jdk "$oldest_java")
  fi
  [[ -n $found ]] || die "needs a JDK $oldest_java or newer and found none." \
    "$(debian_advice "openjdk-$oldest_java-jdk-headless")" \
    "Elsewhere: install a JDK and set JAVA_HOME to its folder."
  export JAVA_HOME=$found
}

need_maven() {
  local found
  if ! command -v mvn >/dev/null && can_install; then
    install_packages maven
  fi
  command -v mvn >/dev/null || die "needs Maven $oldest_maven or newer and found none (no mvn on the PATH)." \
    "$(debian_advice)" \
    "Elsewhere: https://maven.apache.org/install.html"
  found=$(mvn --version 2>&1) || die "$(command -v mvn) does not work; it says:" "$found"
  found=$(sed -n 's/^.*Apache Maven \([0-9.]*\).*/\1/p' <<<"$found")
  [[ $(printf '%s\n%s\n' "$oldest_maven" "$found" | sort -V | head -n 1) == "$oldest_maven" ]] ||
    die "needs Maven $oldest_maven or newer, and $(command -v mvn) is ${found:-of unknown version}." \
      "See https://maven.apache.org/install.html"
}

# Makes sure of libfaketime, which a few tests set a process' clock with; fails where it cannot be had.
want_faketime() {
  local library
  for _ in 1 2; do
    for library in /usr/lib/*-linux-gnu*/faketime/libfaketimeMT.so.1; do
      [[ ! -r $library ]] || return 0
    done
    if can_install; then install_packages libfaketime || return 1; else return 1; fi
  done
  return 1
}

# -- tools of single suites: these are skipped where something cannot be had

# Ends a suite that cannot run here; scripts/test tells "skipped" by the 77.
skip_suite() { # WHY
  say "${0##*/}: $1: skipped."
  exit 77
}

# The following install what is missing, and fail where that is not possible.

want_program() { # PROGRAM DEBIAN-PACKAGE
  if ! command -v "$1" >/dev/null && can_install; then
    install_packages "$2" || return 1
  fi
  command -v "$1" >/dev/null
}

need_program() { # PROGRAM DEBIAN-PACKAGE
  want_program "$1" "$2" ||
    die "needs $1 and found none on the PATH." "Debian, Ubuntu: sudo apt-get install $2"
}

want_file() { # FILE DEBIAN-PACKAGE
  if [[ ! -e $1 ]] && can_install; then
    install_packages "$2" || return 1
  fi
  [[ -e $1 ]]
}

oldest_node=18

want_node() {
  local found
  want_program node nodejs || return 1
  found=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p')
  ((${found:-0} >= oldest_node))
}

# npm comes with Node, except in Debian's own packages.
want_npm() { want_program npm npm; }

# Installs packages of npm into a folder, unless these very ones are there.
want_npm_packages() { # FOLDER PACKAGE@VERSION…
  local folder=$1
  shift
  [[ $(cat "$folder/.packages" 2>/dev/null) != "$*" ]] || return 0
  rm -rf "$folder"
  mkdir -p "$folder" || return 1
  say "Installing $* (npm) …"
  attend npm install --silent --no-audit --no-fund --no-save --prefix "$folder" "$@" >&2 || return 1
  printf '%s\n' "$*" >"$folder/.packages"
}

has_php_amqplib() { php -r 'exit((@include "PhpAmqpLib/autoload.php") ? 0 : 1);' 2>/dev/null; }

want_php_amqplib() {
  if ! has_php_amqplib && can_install; then
    install_packages php-amqplib || return 1
  fi
  has_php_amqplib
}

has_php_extension() { php -r "exit(extension_loaded('$1') ? 0 : 1);" 2>/dev/null; }

want_php_extension() { # NAME DEBIAN-PACKAGE
  if ! has_php_extension "$1" && can_install; then
    install_packages "$2" || return 1
  fi
  has_php_extension "$1"
}

# Puts a python3 that has a module into `python`: that of the distribution need not be the first on the PATH.
python=
has_python_module() {
  local candidate
  for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c "import $1" 2>/dev/null; then
      python=$candidate
      return
    fi
  done
  return 1
}

want_python_module() { # MODULE DEBIAN-PACKAGE
  if ! has_python_module "$1" && can_install; then
    install_packages python3 "$2" || return 1
  fi
  has_python_module "$1"
}

# Of npm, for the suites that talk to bridges and to RabbitMQ from Node: what Debian's oldest supported Node can run.
# shellcheck disable=SC2034 # used by who sources this
ws_version=8.18.3
# shellcheck disable=SC2034
amqplib_version=2.3.1
# Drives an installed Chromium and downloads none.
# shellcheck disable=SC2034
playwright_version=1.56.1

# An authority (ca.pem) and a certificate it signed (push.pem, push.key), good for a day and for trying out only.
make_certificate() { # FOLDER NAME
  (
    cd "$1" || exit
    exec 2>openssl.log
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj "/CN=an authority for a day" \
      -addext basicConstraints=critical,CA:true -keyout ca.key -out ca.pem &&
      openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout push.key -out push.csr &&
      openssl x509 -req -in push.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 \
        -extfile <(printf 'subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1\n' "$2") -out push.pem
  ) || {
    tail -n 5 "$1/openssl.log" >&2
    return 1
  }
}
