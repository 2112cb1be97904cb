#!/usr/bin/env bash
# What the Rust half of the Swift package weighs in an app: the released library, linked with no more than Swift calls of it,
# and stripped. Beyond 3 MB it is a failure.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
target=${CARGO_TARGET_DIR:-$project/target}
library=$("$project/xtask/scripts/swift-native.sh" --release)/libbloomchats_swift.a
work=$target/swift-native/size
mkdir -p "$work"

grep -oE '\bbloomchats_[a-z0-9_]+\(' "$project/bindings-swift/Sources/BloomChatsFFI/BloomChatsFFI.h" |
  tr -d '(' | sort -u >"$work/called"
{ echo '{ global:'; sed 's/$/;/' "$work/called"; echo 'local: *; };'; } >"$work/called.map"
cc -shared -o "$work/linked.so" -Wl,--gc-sections,-s,--version-script="$work/called.map" $(sed 's/^/-Wl,-u,/' "$work/called") \
  "$library" -lm -lpthread -ldl
bytes=$(stat -c %s "$work/linked.so")
echo "swift: the Rust half weighs $bytes bytes in an app"
[ "$bytes" -le 3000000 ] || { echo "swift: that is more than 3 MB" >&2; exit 1; }
