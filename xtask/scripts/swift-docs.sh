#!/usr/bin/env bash
# The reference of the Swift package: symbols to DocC, with a dead link or an unnamed parameter as a failure.
#
#   swift-docs.sh FOLDER
#
# Reads what swift-test.sh has built. DocC's SwiftPM plugin is not in Debian's tree, so `docc` is called itself.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
project=$(cd "$scripts/../.." && pwd -P)
folder=$1
native=$("$scripts/swift-native.sh")
work=${SWIFT_WORK:-${CARGO_TARGET_DIR:-$project/target}/swift}

swift=()
if ! command -v swift >/dev/null; then
  swift=("$scripts/swift-toolchain.sh" run --root "${SWIFT_ROOT:-$project/target/swift-root}" --bind "$native" --bind "$work"
    env PKG_CONFIG_PATH="$native")
fi
modules=$(find "$work/package" -type d -path '*/debug/Modules' | head -n 1)
triple=$(basename "$(dirname "$(dirname "$modules")")")
rm -rf "$folder" && mkdir -p "$folder/symbols"
cd "$project/bindings-swift"
"${swift[@]}" swift symbolgraph-extract -module-name BloomChats -minimum-access-level public -target "$triple" \
  -skip-synthesized-members -I "$modules" -I "$project/bindings-swift/Sources/BloomChatsFFI" -output-dir "$folder/symbols"
# Symbols that this package adds to the standard library's types would need that library's own reference.
rm -f "$folder"/symbols/BloomChats@*
"${swift[@]}" docc convert Sources/BloomChats/BloomChats.docc --additional-symbol-graph-dir "$folder/symbols" \
  --output-dir "$folder/reference" --warnings-as-errors --fallback-display-name BloomChats \
  --fallback-bundle-identifier com.bloomchats.sdk
