#!/usr/bin/env bash
# Builds examples/quickstart.swift in a package of its own and runs it. Keys and base URLs come from the environment;
# SWIFT_ROOT is the tree of swift-toolchain.sh. Swift 6 found in PATH is used as it is.
set -euo pipefail

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
project=$(cd "$scripts/../.." && pwd -P)
target=${CARGO_TARGET_DIR:-$project/target}
package=$target/swift/demo
mkdir -p "$package/Sources/Quickstart"

native=$("$scripts/swift-native.sh")
cp "$project/examples/quickstart.swift" "$package/Sources/Quickstart/main.swift"
cat >"$package/Package.swift" <<EOF
// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "Quickstart",
    dependencies: [.package(path: "$project/bindings-swift")],
    targets: [.executableTarget(name: "Quickstart", dependencies: [.product(name: "BloomChats", package: "bindings-swift")])]
)
EOF

settings=(PKG_CONFIG_PATH="$native")
for name in BLOOIO_BASE_URL BLOOIO_API_KEY BLOOMCHATS_BASE_URL BLOOMCHATS_API_KEY; do settings+=("$name=${!name}"); done
cd "$package"
if command -v swift >/dev/null; then
  exec env "${settings[@]}" swift run --quiet
fi
root=${SWIFT_ROOT:-$project/target/swift-root}
"$scripts/swift-toolchain.sh" install "$root"
exec "$scripts/swift-toolchain.sh" run --root "$root" --bind "$target" env "${settings[@]}" swift run --quiet
