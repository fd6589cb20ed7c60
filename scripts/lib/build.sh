# shellcheck shell=bash
# The distribution that the scripts run. Sourced after common.sh and tools.sh.

distribution=$root/bridge/target/pushbridge

# Whether the distribution is missing or older than anything it is made of.
build_needed() {
  local stamp=$root/bridge/target/.built
  [[ -x $distribution/bin/pushbridge && -e $stamp ]] || return 0
  # Folders count too: their time tells of deleted files.
  [[ -n $(find "$root/pom.xml" "$root/.mvn" "$root/bridge/pom.xml" "$root/bridge/src/main" "$root/bridge/client" "$root/schemas" \
    -newer "$stamp" -print -quit) ]]
}

# Builds what is missing or old, one at a time: a second start waits for the first one's build and uses it.
# Needs handle_signals.
ensure_built() {
  build_needed || return 0
  if command -v flock >/dev/null; then
    mkdir -p "$root/bridge/target"
    exec 7>"$root/bridge/target/.build-lock"
    if ! flock --nonblock 7; then
      say "Waiting for another build of this checkout …"
      attend flock 7
    fi
  fi
  if build_needed; then build; fi
  exec 7>&-
}

# Formatting is the tests' business: an edit in progress should run.
build() {
  local started
  need_jdk
  need_maven
  say "Building (the first time downloads libraries and takes a few minutes) …"
  mkdir -p "$root/bridge/target"
  started=$root/bridge/target/.build-started
  touch "$started" # what is edited while Maven runs counts as newer
  attend mvn -B -q -ntp -f "$root/pom.xml" -DskipTests -Dspotless.check.skip=true package ||
    die "the build failed; Maven says why above." "By hand: mvn -f '$root/pom.xml' -DskipTests package"
  [[ -x $distribution/bin/pushbridge ]] || die "the build left no $distribution/bin/pushbridge."
  mv "$started" "$root/bridge/target/.built"
}
