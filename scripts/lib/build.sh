# shellcheck shell=bash
# The distribution that the scripts run. Sourced after common.sh and tools.sh.

distribution=$root/bridge/target/pushbridge

# Whether the distribution is missing or older than anything it is made of.
build_needed() {
  local stamp=$root/bridge/target/.built
  [[ -x $distribution/bin/pushbridge && -e $stamp ]] || return 0
  # Folders count too: their time tells of deleted files.
  [[ -n $(find "$root/pom.xml" "$root/.mvn" "$root/bridge/pom.xml" "$root/bridge/src/main" "$root/schemas" \
    -newer "$stamp" -print -quit) ]]
}

# Needs handle_signals. Formatting is the tests' business: an edit in progress should run.
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
