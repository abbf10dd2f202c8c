// swift-tools-version:6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let posix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let http1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

/// A library module of Baton. Dependencies point one way only: `make build` refuses an import that is not declared here, and
/// `scripts/module-graph` draws them into docs/architecture.md.
func module(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

func tests(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

let package = Package(
    name: "baton",
    products: [.executable(name: "baton", targets: ["baton"])],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLinux"),
        module("ImageModel"),
        module("AdminContract", ["ImageModel"]),
        module("FormatInspection", ["ImageModel"]),
        module("NetworkAddress"),
        module("FairQueueing", [collections]),
        module("Access", ["ImageModel", "Integrity", "NetworkAddress", logging]),
        module("Keystone", ["Access", "CurlTransfer", "NetworkAddress", logging]),
        module("Integrity", ["ImageModel", "CCrypto"]),
        module("CurlTransfer", ["NetworkAddress", "CCurl", "CCrypto", "CLinux", nio]),
        module("BackendKit", ["ImageModel", "CurlTransfer", "Access", "NetworkAddress", "FairQueueing"]),
        module("FileBackend", path: "backends/File", ["BackendKit", "CurlTransfer", "ImageModel"]),
        module("HTTPBackend", path: "backends/HTTP", ["BackendKit", "CurlTransfer", "ImageModel"]),
        module("S3Backend", path: "backends/S3", ["BackendKit", "CurlTransfer", "Integrity", "ImageModel"]),
        module(
            "OpenStackSwiftBackend", path: "backends/OpenStackSwift",
            ["BackendKit", "CurlTransfer", "Access", "Keystone", "Integrity", "ImageModel"]),
        module("OriginRead", ["BackendKit", "CurlTransfer", nio]),
        module("LocationSelection", ["ImageModel"]),
        module(
            "RelayEngine",
            [
                "OriginRead", "BackendKit", "FairQueueing", "LocationSelection", "Integrity", "CurlTransfer", "ImageModel", nio,
                collections,
            ]
        ),
        module("ImageCatalog", ["ImageModel", .product(name: "GRDB", package: "GRDB.swift")]),
        module(
            "LocationLifecycle",
            ["RelayEngine", "OriginRead", "ImageCatalog", "BackendKit", "CurlTransfer", "ImageModel", logging]),
        module(
            "Verification",
            [
                "LocationLifecycle", "RelayEngine", "OriginRead", "ImageCatalog", "BackendKit", "LocationSelection",
                "CurlTransfer", "FormatInspection", "Integrity", "ImageModel", "Telemetry", logging, lifecycle,
            ]),
        module(
            "Downloads",
            [
                "RelayEngine", "Verification", "ImageCatalog", "BackendKit", "Integrity", "ImageModel", "Telemetry",
                logging,
            ]),
        module("ImageUpload", ["FormatInspection", "Integrity", "ImageModel", "CLinux", nio, posix]),
        module("BatonConfig", ["RelayEngine", "CurlTransfer", "LocationSelection", "ImageModel", "NetworkAddress", "Yams"]),
        module("Telemetry", [logging]),
        module(
            "HTTPServing",
            [
                "AdminContract", "FairQueueing", "Access", "Telemetry", "ImageModel", "NetworkAddress", hummingbird,
                hummingbirdCore, httpTypes,
                .product(name: "NIOSSL", package: "swift-nio-ssl"), nio, http1, posix, collections, logging, lifecycle,
            ]
        ),
        module(
            "GlanceAPI",
            [
                "HTTPServing", "RelayEngine", "ImageCatalog", "LocationLifecycle", "Verification", "Downloads", "BackendKit",
                "LocationSelection", "Access",
                "ImageModel", "ImageUpload", "Integrity", "NetworkAddress", hummingbird, httpTypes, nio, logging, lifecycle,
            ]
        ),
        module(
            "AdminAPI",
            [
                "AdminContract", "GlanceAPI", "HTTPServing", "RelayEngine", "ImageCatalog", "LocationLifecycle", "Verification",
                "Downloads",
                "BackendKit", "LocationSelection",
                "Access", "Telemetry", "ImageModel", "ImageUpload", hummingbird, httpTypes, nio,
            ]
        ),
        module(
            "BatonClient",
            [
                "AdminContract", "RelayEngine", "LocationSelection", "BackendKit", "CurlTransfer", "Integrity", "ImageModel",
                nio,
            ]),
        .executableTarget(
            name: "baton",
            dependencies: [
                "AdminAPI", "AdminContract", "GlanceAPI", "HTTPServing", "ImageCatalog", "LocationLifecycle", "Verification",
                "Downloads", "RelayEngine", "BackendKit",
                "BatonConfig", "BatonClient",
                "FileBackend", "HTTPBackend", "S3Backend", "OpenStackSwiftBackend", "Telemetry", "LocationSelection",
                "Access", "Keystone", "NetworkAddress",
                "CurlTransfer",
                "ImageModel",
                "ImageUpload", "FormatInspection", "Integrity", hummingbird, httpTypes, logging, lifecycle, posix,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "catalog-bench", dependencies: ["ImageCatalog", "ImageModel"], path: "benchmarks/Catalog",
            swiftSettings: settings),
        .executableTarget(
            name: "baton-fuzz",
            dependencies: [
                "BackendKit", "CurlTransfer", "FormatInspection", "GlanceAPI", "HTTPBackend", "HTTPServing", "ImageModel",
                "OpenStackSwiftBackend", "S3Backend",
            ],
            path: "Tests/Fuzz", exclude: ["seeds"], swiftSettings: settings),
        module("Waiting", path: "Tests/Waiting"),
        module("FaultyOrigin", path: "Tests/FaultyOrigin", ["Waiting"]),
        module(
            "Servers", path: "Tests/Servers",
            ["FaultyOrigin", "ImageModel", "Integrity", "BackendKit", "Waiting"]
        ),
        module("ChaosPlan", path: "Tests/ChaosPlan", ["LocationSelection"]),
        .executableTarget(
            name: "chaos",
            dependencies: [
                "ChaosPlan", "FaultyOrigin", "Servers",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Chaos", exclude: ["Targets/failing-disk.c"], swiftSettings: settings),
        module("TransferRecording", path: "Tests/TransferRecording", ["CurlTransfer", "Waiting", nio]),
        module(
            "APIFixture", path: "Tests/APIFixture",
            [
                "AdminAPI", "GlanceAPI", "HTTPServing", "ImageCatalog", "BackendKit", "HTTPBackend", "Access", "ImageModel",
                "RelayEngine", "LocationLifecycle", "Verification", "Downloads", "CurlTransfer", "LocationSelection",
                "Telemetry", hummingbird,
                .product(name: "NIOEmbedded", package: "swift-nio"), httpTypes, logging, nio,
            ]),
        module(
            "TokenBackend", path: "Tests/TokenBackend",
            ["BackendKit", "CurlTransfer", "FaultyOrigin", "ImageModel", "Waiting"]),
        module(
            "VerificationFixture", path: "Tests/VerificationFixture",
            [
                "Verification", "LocationLifecycle", "Downloads", "ImageCatalog", "RelayEngine", "BackendKit", "HTTPBackend",
                "CurlTransfer", "LocationSelection", "Integrity", "ImageModel", "Telemetry", "FaultyOrigin", logging,
            ]),
        tests("ImageModelTests", ["ImageModel"]),
        tests("AdminContractTests", ["AdminContract", "ImageModel"]),
        tests("FormatInspectionTests", ["FormatInspection", "ImageModel"]),
        tests("NetworkAddressTests", ["NetworkAddress"]),
        tests("AccessTests", ["Access", "ImageModel", "NetworkAddress", logging]),
        tests("KeystoneTests", ["Keystone", "Access", "CurlTransfer", "NetworkAddress", "Waiting", logging]),
        tests("TelemetryTests", ["Telemetry", "Waiting", logging]),
        tests("ImageUploadTests", ["FormatInspection", "ImageUpload", "Integrity", "ImageModel", nio, posix]),
        tests(
            "HTTPServingTests",
            [
                "HTTPServing", "Access", "ImageModel", "NetworkAddress", "Waiting", hummingbird,
                .product(name: "NIOEmbedded", package: "swift-nio"), httpTypes, logging, nio, http1,
            ]
        ),
        tests(
            "GlanceAPITests",
            [
                "APIFixture", "GlanceAPI", "HTTPServing", "ImageCatalog", "BackendKit", "HTTPBackend", "Access", "ImageModel",
                "RelayEngine", "LocationLifecycle", "Verification", "Downloads", "CurlTransfer", "LocationSelection",
                "Telemetry", "Integrity", "Waiting",
                hummingbird, .product(name: "NIOEmbedded", package: "swift-nio"), httpTypes, logging, nio, http1,
            ]
        ),
        tests(
            "AdminAPITests",
            [
                "APIFixture", "AdminAPI", "GlanceAPI", "HTTPServing", "ImageCatalog", "BackendKit", "HTTPBackend", "Access",
                "ImageModel", "RelayEngine", "LocationLifecycle", "Verification", "Downloads", "CurlTransfer",
                "LocationSelection", "Integrity", "Waiting",
                hummingbird, httpTypes, logging, nio,
            ]
        ),
        tests("IntegrityTests", ["Integrity", "ImageModel"]),
        tests("CurlTransferTests", ["CurlTransfer", "FaultyOrigin", "TransferRecording", "Waiting", nio]),
        tests("BackendKitTests", ["BackendKit", "CurlTransfer", "ImageModel", "Waiting"]),
        tests(
            "OriginReadTests",
            [
                "OriginRead", "BackendKit", "CurlTransfer", "ImageModel", "FaultyOrigin", "TokenBackend", "TransferRecording",
                "Waiting", nio,
            ]),
        tests("FileBackendTests", ["FileBackend", "BackendKit", "CurlTransfer", "ImageModel", "TransferRecording", "Waiting"]),
        tests("HTTPBackendTests", ["HTTPBackend", "BackendKit", "CurlTransfer", "ImageModel"]),
        .testTarget(
            name: "S3BackendTests", dependencies: ["S3Backend", "BackendKit", "CurlTransfer", "Integrity", "ImageModel"],
            exclude: ["make-vectors.py", "vectors.json"], swiftSettings: settings),
        .testTarget(
            name: "OpenStackSwiftBackendTests",
            dependencies: [
                "OpenStackSwiftBackend", "BackendKit", "CurlTransfer", "Keystone", "Integrity", "ImageModel", "Waiting",
            ],
            exclude: ["make-vectors.py", "vectors.json"], swiftSettings: settings),
        tests("LocationSelectionTests", ["LocationSelection", "ImageModel"]),
        tests("ImageCatalogTests", ["ImageCatalog", "ImageModel", .product(name: "GRDB", package: "GRDB.swift")]),
        tests(
            "BatonConfigTests",
            ["BatonConfig", "RelayEngine", "LocationSelection", "ImageModel", "NetworkAddress"]),
        tests(
            "BatonClientTests",
            [
                "BatonClient", "AdminContract", "BackendKit", "CurlTransfer", "FaultyOrigin", "ImageModel", "Integrity",
                "Waiting",
            ]),
        tests(
            "LocationLifecycleTests",
            [
                "LocationLifecycle", "Verification", "VerificationFixture", "ImageCatalog", "BackendKit", "CurlTransfer",
                "HTTPBackend", "RelayEngine", "ImageModel", "FaultyOrigin", logging,
            ]
        ),
        tests(
            "VerificationTests",
            [
                "Verification", "LocationLifecycle", "Downloads", "VerificationFixture", "OriginRead", "ImageCatalog",
                "BackendKit", "CurlTransfer", "FormatInspection", "Integrity", "ImageModel", "LocationSelection", "RelayEngine",
                "FaultyOrigin", "TokenBackend", "Waiting", "Telemetry", logging,
            ]
        ),
        tests(
            "DownloadsTests",
            [
                "Downloads", "Verification", "VerificationFixture", "RelayEngine", "ImageCatalog", "ImageModel", "FaultyOrigin",
                "Telemetry", logging,
            ]
        ),
        tests("ChaosPlanTests", ["ChaosPlan"]),
        tests(
            "Scenarios",
            [
                "Servers", "FaultyOrigin", "Waiting", "ImageModel", "Integrity", "ImageCatalog", "Access", "Keystone",
                "NetworkAddress",
                "BackendKit",
                "LocationSelection", "S3Backend", "OpenStackSwiftBackend", "CurlTransfer", .target(name: "baton"),
                .target(name: "chaos"), .product(name: "GRDB", package: "GRDB.swift"),
            ]
        ),
        tests(
            "RelayEngineTests",
            [
                "RelayEngine", "OriginRead", "BackendKit", "LocationSelection", "ImageModel", "CurlTransfer", "Integrity",
                "FaultyOrigin", "TokenBackend", "TransferRecording", "Waiting", nio,
            ]
        ),
    ]
)
