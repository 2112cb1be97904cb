#!/usr/bin/env bash
# Builds examples/NAME.swift in a package of its own and runs it.
#
#   swift-example.sh NAME
#
# Keys, base URLs and where a sandbox is come from the environment; SWIFT_ROOT is the tree of swift-toolchain.sh. Swift 6
# found in PATH is used as it is.
set -euo pipefail

name=$1
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
project=$(cd "$scripts/../.." && pwd -P)
target=${CARGO_TARGET_DIR:-$project/target}
package=$target/swift/demo
mkdir -p "$package/Sources/Example"

native=$("$scripts/swift-native.sh")
cp "$project/examples/$name.swift" "$package/Sources/Example/main.swift"
cat >"$package/Package.swift" <<EOT
// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "Example",
    dependencies: [.package(path: "$project/bindings-swift")],
    targets: [
        .executableTarget(
            name: "Example",
            dependencies: [
                .product(name: "BloomChats", package: "bindings-swift"),
                .product(name: "BloomChatsTesting", package: "bindings-swift"),
            ])
    ]
)
EOT

settings=(PKG_CONFIG_PATH="$native")
binds=(--bind "$target")
for setting in BLOOIO_BASE_URL BLOOIO_API_KEY BLOOMCHATS_BASE_URL BLOOMCHATS_API_KEY BLOOMCHATS_BIN \
  BLOOMCHATS_SANDBOX_URL; do
  [ -z "${!setting-}" ] || settings+=("$setting=${!setting}")
done
[ -z "${BLOOMCHATS_BIN-}" ] || binds+=(--bind "$(dirname "$BLOOMCHATS_BIN")")
cd "$package"
if command -v swift >/dev/null; then
  exec env "${settings[@]}" swift run --quiet
fi
root=${SWIFT_ROOT:-$project/target/swift-root}
"$scripts/swift-toolchain.sh" install "$root"
exec "$scripts/swift-toolchain.sh" run --root "$root" "${binds[@]}" env "${settings[@]}" swift run --quiet
