// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "bloomchats-bench-client",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../../bindings-swift")],
    targets: [
        .executableTarget(name: "Client", dependencies: [.product(name: "BloomChats", package: "bindings-swift")])
    ]
)
