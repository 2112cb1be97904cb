#!/usr/bin/env bash
# The Rust half of the Swift package, for this machine.
#
#   swift-native.sh [--release]
#
# Builds the static library and prints the folder that holds it and its pkg-config file.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
target=${CARGO_TARGET_DIR:-$project/target}
profile=debug options=()
[ "${1-}" != --release ] || profile=swift options=(--profile swift)

cd "$project"
cargo build --quiet -p bloomchats-swift "${options[@]}" >&2
library=$target/$profile/libbloomchats_swift.a

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
