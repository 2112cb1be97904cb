#!/usr/bin/env bash
# The Rust half of the Swift package for Apple platforms: BloomChatsFFI.xcframework beside bindings-swift/Package.swift.
#
#   xcframework.sh            builds every slice that this machine has SDKs for
#   xcframework.sh --plan     prints what would be built, and runs nothing
#
# NOT RUN ANYWHERE YET: it needs macOS with Xcode 16, and this project's machines are Linux. What was checked on Linux is
# the plan, the Rust targets' names against `rustc --print target-list`, and, with swift-native.sh, the header and module map
# that go in. What was not: compiling for Apple targets, lipo, xcodebuild, Package.swift's
# binaryTarget, and every Apple simulator and device.
#
# Watches with 32-bit pointers (arm64_32) are left out: Swift's Int has 32 bits there, and times in ms need more.
#
# tvOS, watchOS and visionOS are tier 3 in Rust: they take a nightly toolchain and -Z build-std, which is why their rows
# are marked so and left out unless WITH_TIER_3=1.
set -euo pipefail

# slice              SDK               tier  Rust targets that are merged into it
table='
ios                  iphoneos          2     aarch64-apple-ios
ios-simulator        iphonesimulator   2     aarch64-apple-ios-sim x86_64-apple-ios
macos                macosx            2     aarch64-apple-darwin x86_64-apple-darwin
mac-catalyst         macosx            2     aarch64-apple-ios-macabi x86_64-apple-ios-macabi
tvos                 appletvos         3     aarch64-apple-tvos
tvos-simulator       appletvsimulator  3     aarch64-apple-tvos-sim
watchos              watchos           3     aarch64-apple-watchos
watchos-simulator    watchsimulator    3     aarch64-apple-watchos-sim
visionos             xros              3     aarch64-apple-visionos
visionos-simulator   xrsimulator       3     aarch64-apple-visionos-sim
'
# As Package.swift promises; the linker warns of objects that are newer than the app's own minimum.
export IPHONEOS_DEPLOYMENT_TARGET=16.0 MACOSX_DEPLOYMENT_TARGET=13.0 TVOS_DEPLOYMENT_TARGET=16.0
export WATCHOS_DEPLOYMENT_TARGET=9.0 XROS_DEPLOYMENT_TARGET=1.0

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
target=${CARGO_TARGET_DIR:-$project/target}
work=$target/xcframework
package=$project/bindings-swift
plan=false
[ "${1-}" != --plan ] || plan=true

chosen() {
  local slice sdk tier targets
  while read -r slice sdk tier targets; do
    [ -n "$slice" ] || continue
    [ "$tier" = 2 ] || [ "${WITH_TIER_3-}" = 1 ] || continue
    echo "$slice $sdk $tier $targets"
  done <<<"$table"
}

if $plan; then
  chosen
  exit
fi

[ "$(uname)" = Darwin ] || { echo "xcframework: needs macOS with Xcode; --plan works anywhere" >&2; exit 1; }
cd "$project"
rm -rf "$work" && mkdir -p "$work"
arguments=()
while read -r slice sdk tier targets; do
  if ! xcrun --sdk "$sdk" --show-sdk-path >/dev/null 2>&1; then
    echo "xcframework: $slice left out, Xcode has no SDK $sdk" >&2
    continue
  fi
  libraries=()
  for rust in $targets; do
    if [ "$tier" = 2 ]; then
      rustup target add "$rust" >/dev/null
      cargo build --quiet --profile swift -p bloomchats-swift --target "$rust"
    else
      cargo +nightly build --quiet --profile swift -p bloomchats-swift --target "$rust" -Z build-std=std,panic_unwind
    fi
    libraries+=("$target/$rust/swift/libbloomchats_swift.a")
  done
  mkdir -p "$work/$slice"
  lipo -create "${libraries[@]}" -output "$work/$slice/libbloomchats_swift.a"
  # Local symbols are of no use to an app, and a third of the size.
  xcrun strip -x "$work/$slice/libbloomchats_swift.a"
  arguments+=(-library "$work/$slice/libbloomchats_swift.a" -headers "$package/Sources/BloomChatsFFI")
done < <(chosen)
[ ${#arguments[@]} -gt 0 ] || { echo "xcframework: no slice could be built" >&2; exit 1; }

rm -rf "$package/BloomChatsFFI.xcframework"
xcodebuild -create-xcframework "${arguments[@]}" -output "$package/BloomChatsFFI.xcframework"
(cd "$package" && zip -qry "$work/BloomChatsFFI.xcframework.zip" BloomChatsFFI.xcframework)
echo "checksum: $(swift package compute-checksum "$work/BloomChatsFFI.xcframework.zip")"
echo "to publish: $work/BloomChatsFFI.xcframework.zip, then xtask/scripts/swift-satellite.sh FOLDER URL CHECKSUM"
