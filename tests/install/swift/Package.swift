// swift-tools-version: 6.0
import Foundation
import PackageDescription

// A stranger's package: it knows BloomChats by URL and version, and nothing of this repository.
// xtask/scripts/swift-test.sh copies it out of the tree and puts the examples into it.
let url = ProcessInfo.processInfo.environment["BLOOMCHATS_SWIFT_URL"] ?? "https://github.com/bloomchats/bloomchats-swift"

let library = Target.Dependency.product(name: "BloomChats", package: "bloomchats-swift")
let testing = Target.Dependency.product(name: "BloomChatsTesting", package: "bloomchats-swift")

let package = Package(
    name: "Quickstart",
    platforms: [.macOS(.v13)],
    dependencies: [.package(url: url, from: "0.1.0")],
    targets: [
        .executableTarget(name: "Quickstart", dependencies: [library]),
        .executableTarget(name: "Story", dependencies: [library, testing]),
        .executableTarget(name: "Killed", dependencies: [testing]),
    ]
)
