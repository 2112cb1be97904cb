#!/usr/bin/env bash
# Everything that is tested in Swift on Linux, in Swift 6 mode with warnings as errors.
#
#   swift-test.sh                         all of it
#   swift-test.sh --filter NAME ...       only `swift test` with these arguments
#
# In order: the package's tests, the conformance corpus, the package as a stranger gets it (by URL, from outside the tree,
# with quickstart and story), the own-backend example, the reference. BLOOMCHATS_BIN is the `bloomchats` command (built when it
# is not given), BLOOMCHATS_CONFORMANCE_OUT the file for the ids of passed cases, SWIFT_ROOT the tree of
# swift-toolchain.sh, SWIFT_WORK where Swift builds. Swift 6 found in PATH is used as it is.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
project=$(cd "$scripts/../.." && pwd -P)
target=${CARGO_TARGET_DIR:-$project/target}
work=${SWIFT_WORK:-$target/swift}
mkdir -p "$work"
work=$(cd "$work" && pwd -P)
say() { echo "swift: $*"; }
die() { say "$*" >&2; exit 1; }

native=$("$scripts/swift-native.sh")
binary=${BLOOMCHATS_BIN-}
if [ -z "$binary" ]; then
  (cd "$project" && cargo build --quiet -p bloomchats-cli)
  binary=$target/debug/bloomchats
fi
[ -x "$binary" ] || die "BLOOMCHATS_BIN is no program: $binary"

# in_swift FOLDER COMMAND...: with what every command here needs to see.
root=${SWIFT_ROOT:-$project/target/swift-root}
own_swift=$(command -v swift || true)
[ -n "$own_swift" ] || "$scripts/swift-toolchain.sh" install "$root"
binds=()
for seen in "$native" "$(dirname "$binary")" "$work"; do
  [[ $seen/ = "$project"/* ]] || binds+=(--bind "$seen")
done
settings=(PKG_CONFIG_PATH="$native" BLOOMCHATS_BIN="$binary")
in_swift() {
  local folder=$1
  shift
  if [ -n "$own_swift" ]; then
    (cd "$folder" && env "${settings[@]}" "$@")
  else
    (cd "$folder" && "$scripts/swift-toolchain.sh" run --root "$root" "${binds[@]}" env "${settings[@]}" "$@")
  fi
}
strict=(-Xswiftc -warnings-as-errors)
# build NAME FOLDER ARGUMENTS...: quietly, unless it fails.
build() {
  local log=$work/$1.log folder=$2
  shift 2
  in_swift "$folder" "$@" >"$log" 2>&1 || { grep -E 'error|warning' "$log" | head -n 40 >&2; die "no build; all output: $log"; }
}

# --- The package's tests --------------------------------------------------------------------------------------------

rm -f "$work"/tests*.xml
in_swift "$project/bindings-swift" swift test --scratch-path "$work/package" --xunit-output "$work/tests.xml" \
  "${strict[@]}" "$@" >"$work/tests.log" 2>&1 || {
  # Of a run of thousands of lines, what failed.
  grep -E 'error:|✘|failed|Fatal|\.swift:[0-9]+' "$work/tests.log" | cut -c1-400 | head -n 80 >&2
  die "the package's tests failed; all output: $work/tests.log"
}
# Zero tests pass too; so they are counted.
tests=$(grep -o '<testcase' "$work/tests-swift-testing.xml" | wc -l)
[ "$tests" -gt 0 ] || die "no test ran"
say "$tests tests passed"
[ $# -eq 0 ] || exit 0

# --- The corpus -----------------------------------------------------------------------------------------------------

out=${BLOOMCHATS_CONFORMANCE_OUT:-$project/target/conformance/swift.txt}
mkdir -p "$(dirname "$out")"
# A package may not name files outside its folder, and a link would not survive everywhere.
shared=bindings-swift/Tests/BloomChatsTests/LoopbackServer.swift copied=tests/runners/swift/Sources/HostSafety/LoopbackServer.swift
cmp -s "$project/$shared" "$project/$copied" || cp "$project/$shared" "$project/$copied"
build runner "$project/tests/runners/swift" swift build --scratch-path "$work/runner" "${strict[@]}"
in_swift "$project/tests/runners/swift" "$work/runner/debug/Conformance" "$project" "$work/passed.txt"
cp "$work/passed.txt" "$out"

# --- Processes of their own -----------------------------------------------------------------------------------------

in_swift "$work" bash -euc 'for way in return exit thread cancel; do
  for round in {1..50}; do
    timeout 30 "$0" $way || { echo "swift: a process that was to end by $way ended with $?" >&2; exit 1; }
  done
done' "$work/runner/debug/HostSafety"
say "200 processes ended with calls in flight"
in_swift "$work" "$work/runner/debug/HostSafety" endure 200000

# --- As a stranger gets it ------------------------------------------------------------------------------------------

# background FILE COMMAND...: runs a server until this script ends, and waits for its first line, which goes to FILE.
running=()
trap '[ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null || true' EXIT
background() {
  local file=$1 tries=0
  shift
  : >"$file"
  "$@" >"$file" 2>"$file.err" &
  running+=($!)
  until [ -s "$file" ]; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] || die "did not start: $* ($(cat "$file.err"))"
    sleep 0.05
  done
}
background "$work/sandbox.json" "$binary" sandbox --port 0 --json
fact() { sed -E "s/.*\"$1\": *\"([^\"]*)\".*/\1/" "$work/sandbox.json"; }
settings+=(BLOOIO_BASE_URL="$(fact url)" BLOOMCHATS_BASE_URL="$(fact url)" BLOOIO_API_KEY="$(fact blooio_api_key)"
  BLOOMCHATS_API_KEY="$(fact bloomchats_api_key)")

# The repository that would be published, and a package that knows nothing but its URL.
"$scripts/swift-satellite.sh" "$work/bloomchats-swift"
rm -rf "$work/stranger" && mkdir -p "$work/stranger/Sources/"{Quickstart,Story,Killed}
cp "$project/tests/install/swift/Package.swift" "$work/stranger/"
cp "$project/examples/quickstart.swift" "$work/stranger/Sources/Quickstart/main.swift"
cp "$project/examples/story.swift" "$work/stranger/Sources/Story/main.swift"
cp "$project/tests/install/swift/Killed.swift" "$work/stranger/Sources/Killed/main.swift"
stranger=(BLOOMCHATS_SWIFT_URL="file://$work/bloomchats-swift" GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory
  GIT_CONFIG_VALUE_0='*')
# SwiftPM would keep the first commit it saw under this version.
rm -rf "$work/stranger-build"
build stranger "$work/stranger" env "${stranger[@]}" swift build --scratch-path "$work/stranger-build" \
  --cache-path "$work/stranger-build/cache"
in_swift "$work/stranger" "$work/stranger-build/debug/Quickstart" | tee "$work/quickstart.txt"
grep -q 'Blooio v2: .* is delivered' "$work/quickstart.txt" || die "the quickstart did not come to its end"
say "the quickstart ran in a package of its own"
in_swift "$work/stranger" "$work/stranger-build/debug/Story" | tee "$work/story.txt"
grep -q 'came to its end' "$work/story.txt" || die "the story did not come to its end"

# A sandbox ends with the process that started it. It would keep an idle connection for a minute.
background "$work/killed.txt" in_swift "$work/stranger" "$work/stranger-build/debug/Killed"
read -r pid url <"$work/killed.txt"
exec 3<>"/dev/tcp/127.0.0.1/${url##*:}"
kill -9 "$pid"
ended=0
timeout 20 cat <&3 >/dev/null 2>&1 || ended=$?
exec 3>&-
[ $ended != 124 ] || die "a sandbox outlived its process"
say "a sandbox ended with the process that was killed"

# --- An app and its own backend -------------------------------------------------------------------------------------

if command -v python3 >/dev/null; then
  build ios-proxy "$project/examples/ios-proxy/App" swift build --scratch-path "$work/ios-proxy" "${strict[@]}"
  # Sessions of a second: waiting for the delivery takes longer, so the app has to log in again on its way.
  background "$work/proxy.txt" env APP_PASSWORD=secret SESSION_SECONDS=1 BLOOIO_BASE_URL="$(fact url)" \
    BLOOIO_API_KEY="$(fact blooio_api_key)" python3 -u "$project/examples/ios-proxy/proxy.py" --port 0
  backend=$(cat "$work/proxy.txt")
  python3 "$project/examples/ios-proxy/test_proxy.py" "$backend" secret
  in_swift "$work" env -u BLOOIO_API_KEY -u BLOOIO_BASE_URL BACKEND_URL="$backend" APP_PASSWORD=secret \
    "$work/ios-proxy/debug/App" | tee "$work/app.txt"
  grep -q 'delivered' "$work/app.txt" || die "the app did not come to its end"
  say "an app sent a message through its own backend"
else
  [ "${CI-}" != true ] || die "no python3 for the backend of examples/ios-proxy"
  say "the own-backend example was skipped: there is no python3"
fi

# --- The reference --------------------------------------------------------------------------------------------------

SWIFT_WORK=$work "$scripts/swift-docs.sh" "$work/docs"

# --- The size -------------------------------------------------------------------------------------------------------

"$scripts/swift-size.sh"
say "$tests tests, $(wc -l <"$out") corpus cases, quickstart, story, own backend, reference: passed"
