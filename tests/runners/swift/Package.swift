// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "Conformance",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../../../bindings-swift")],
    targets: [
        .executableTarget(
            name: "Conformance", dependencies: [.product(name: "BloomChatsTesting", package: "bindings-swift")]),
        .executableTarget(
            name: "HostSafety", dependencies: [.product(name: "BloomChatsTesting", package: "bindings-swift")]),
    ]
)
