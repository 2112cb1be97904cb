#!/usr/bin/env bash
# Builds the Swift clients of `cargo xtask bench` and prints the program that starts them.
#
#   swift-bench.sh [--release]
#
# With --release as they are shipped: optimised, over the released library. SWIFT_ROOT is the tree of swift-toolchain.sh.
# Swift 6 found in PATH is used as it is.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
project=$(cd "$scripts/../.." && pwd -P)
target=${CARGO_TARGET_DIR:-$project/target}
configuration=debug
[ "${1-}" != --release ] || configuration=release
native=$("$scripts/swift-native.sh" "$@")
work=$target/swift/bench
mkdir -p "$work"

in_swift=(env)
if ! command -v swift >/dev/null; then
  root=${SWIFT_ROOT:-$project/target/swift-root}
  "$scripts/swift-toolchain.sh" install "$root" >&2
  in_swift=("$scripts/swift-toolchain.sh" run --root "$root")
  [[ $target/ = "$project"/* ]] || in_swift+=(--bind "$target")
fi
cd "$project/benches/swift"
"${in_swift[@]}" env PKG_CONFIG_PATH="$native" swift build --configuration "$configuration" --scratch-path "$work" \
  -Xswiftc -warnings-as-errors >"$work.log" 2>&1 || { grep -E 'error|warning' "$work.log" | head -n 40 >&2; exit 1; }
{
  echo '#!/usr/bin/env bash'
  # The tree's environment is bare, and clients are told by theirs whom to trust.
  printf '%q ' exec "${in_swift[@]}" env
  echo -n '${SSL_CERT_FILE:+"SSL_CERT_FILE=$SSL_CERT_FILE"} '
  printf '%q ' "$work/$configuration/Client"
  echo '"$@"'
} >"$work/client"
chmod +x "$work/client"
echo "$work/client"
