// swift-tools-version: 6.0
import PackageDescription

// The Rust half. Apple platforms get it as an XCFramework; elsewhere pkg-config says where the static library is.
#if os(macOS)
    let native: Target = .binaryTarget(name: "BloomChatsFFI", path: "BloomChatsFFI.xcframework")
#else
    let native: Target = .systemLibrary(name: "BloomChatsFFI", pkgConfig: "bloomchats-swift")
#endif

let package = Package(
    name: "BloomChats",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9), .visionOS(.v1)],
    products: [
        .library(name: "BloomChats", targets: ["BloomChats"]),
        .library(name: "BloomChatsTesting", targets: ["BloomChatsTesting"]),
    ],
    targets: [
        native,
        .target(name: "BloomChats", dependencies: ["BloomChatsFFI"]),
        .target(name: "BloomChatsTesting", dependencies: ["BloomChats"]),
        .testTarget(name: "BloomChatsTests", dependencies: ["BloomChats", "BloomChatsTesting"]),
    ]
)
