// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "App",
    platforms: [.macOS(.v13), .iOS(.v16)],
    // An app of your own names the published package: .package(url: "https://github.com/bloomchats/bloomchats-swift", …)
    dependencies: [.package(path: "../../../bindings-swift")],
    targets: [
        .executableTarget(name: "App", dependencies: [.product(name: "BloomChats", package: "bindings-swift")])
    ]
)
