#!/usr/bin/env bash
# The repository that the Swift package is published as: SwiftPM wants Package.swift at the top of one.
#
#   swift-satellite.sh FOLDER [XCFRAMEWORK_URL CHECKSUM]
#
# With a URL and its checksum (`swift package compute-checksum`) the manifest names the released XCFramework; without them it
# keeps the one beside it. FOLDER becomes a git repository with one commit, tagged with the version.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
folder=$1 url=${2-} checksum=${3-}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$project/Cargo.toml" | head -n 1)

rm -rf "$folder" && mkdir -p "$folder"
cd "$project/bindings-swift"
cp -R Package.swift Sources "$folder/"
# Tests of the package need files of the whole repository; here is only what is used.
sed -i.bak '/\.testTarget(/d' "$folder/Package.swift"
if [ -n "$url" ]; then
  sed -i.bak "s|path: \"BloomChatsFFI.xcframework\"|url: \"$url\", checksum: \"$checksum\"|" "$folder/Package.swift"
fi
rm -f "$folder/Package.swift.bak"
for file in README.md ../LICENSE-MIT ../LICENSE-APACHE; do [ ! -e "$file" ] || cp "$file" "$folder/"; done

cd "$folder"
git init --quiet --initial-branch=main
git add --all
git -c user.name=BloomChats -c user.email=sdk@bloomchats.com -c commit.gpgsign=false commit --quiet \
  --message "BloomChats $version"
git tag "$version"
