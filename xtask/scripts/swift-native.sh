#!/usr/bin/env bash
# The Rust half of the Swift package, for this machine.
#
#   swift-native.sh [--release] [PACKAGE]
#
# Builds the static library, writes UniFFI's Swift and C into PACKAGE (default: bindings-swift), and prints the folder that
# holds the library and its pkg-config file.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
target=${CARGO_TARGET_DIR:-$project/target}
profile=debug options=()
[ "${1-}" != --release ] || { profile=swift options=(--profile swift); shift; }
package=${1-$project/bindings-swift}

cd "$project"
cargo build --quiet -p bloomchats-swift "${options[@]}" >&2
cargo build --quiet -p bloomchats-swift-bindgen >&2
library=$target/$profile/libbloomchats_swift.a

written=$target/swift-native/written
rm -rf "$written" && mkdir -p "$written" "$package/Sources/BloomChatsBridge" "$package/Sources/BloomChatsFFI"
"$target/debug/bloomchats-swift-bindgen" "$library" bindings-swift/uniffi.toml "$written" >&2
# A file that did not change keeps its time, so that SwiftPM builds nothing again.
place() { cmp -s "$1" "$2" || cp "$1" "$2"; }
place "$written/BloomChatsBridge.swift" "$package/Sources/BloomChatsBridge/BloomChatsBridge.swift"
place "$written/BloomChatsFFI.h" "$package/Sources/BloomChatsFFI/BloomChatsFFI.h"
place "$written/module.modulemap" "$package/Sources/BloomChatsFFI/module.modulemap"

# SwiftPM links anew only when a path changes, so the library's folder is named after its content. No shared library
# may lie beside it: the linker would prefer that one.
folder=$target/swift-native/$(sha256sum "$library" | cut -c1-16)
if [ ! -e "$folder/bloomchats-swift.pc" ]; then
  # The two before it may still be linked by a build elsewhere; older ones are 100 MB each for nothing.
  (ls -td "$target"/swift-native/????????????????/ 2>/dev/null || true) | tail -n +3 | xargs -r rm -rf
  mkdir -p "$folder"
  cp "$library" "$folder/"
  # -L and -l only: SwiftPM drops whatever else a pkg-config file asks for.
  printf '%s\n' 'Name: bloomchats-swift' 'Description: The Rust half of the Swift package BloomChats' \
    "Version: $(cargo pkgid -p bloomchats-swift | sed 's/.*[@#]//')" "Libs: -L$folder -lbloomchats_swift" \
    >"$folder/bloomchats-swift.pc"
fi
echo "$folder"
