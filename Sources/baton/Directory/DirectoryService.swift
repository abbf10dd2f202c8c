import BackendKit
import BatonClient
import FoundationEssentials
import ImageCatalog
import ImageModel
import Integrity
import LocationLifecycle
import RelayEngine
import ServiceLifecycle

/// Registers the images of a directory, and prints a table of their URLs and a command to download one.
final class DirectoryService: Service, CustomStringConvertible {
    /// A registered file.
    private struct Served {
        let image: ImageID
        let location: LocationID
        let file: DirectoryScan.File
    }

    private enum State {
        case waiting, ready
        case failed(String)
    }

    /// The table is printed when all images are ready, or after this time when at least one is.
    private static let showDelay: Duration = .milliseconds(900)
    /// The table is printed after this time in any case.
    private static let longestShowDelay: Duration = .seconds(10)
    /// The number of unready images that are checked in one pass.
    private static let batch = 16

    private let catalog: any Catalog
    private let health: HealthRecord
    private let root: String
    private let served: [Served]
    private let (addresses, listening) = AsyncStream.makeStream(of: String.self)

    /// Registers the images and queues a full read of each for its digest, the smallest first.
    /// - Throws: `CatalogError`.
    init(
        _ scan: DirectoryScan, in catalog: any Catalog, of backend: BackendID, health: HealthRecord,
        registrar: LocationRegistrar
    ) async throws {
        self.catalog = catalog
        self.health = health
        root = scan.root
        let now = Date.now
        var served: [Served] = []
        for file in scan.files.sorted(by: { $0.size < $1.size }) {
            let image = Image(
                id: Self.id(of: "\(scan.root)/\(file.path)"), name: file.path, visibility: .public, diskFormat: file.format,
                containerFormat: .bare, createdAt: now, updatedAt: now)
            try await catalog.createImage(image)
            let registered = try await registrar.register(
                NewLocation(
                    image: image.id, backend: backend, path: file.path,
                    url: "file://" + LocationURL.encode(path: "\(scan.root)/\(file.path)"),
                    format: Format(disk: file.format, container: .bare), size: file.size, digests: DigestSet()),
                actor: "baton", reason: "found below \(scan.root)")
            served.append(Served(image: image.id, location: registered.location.id, file: file))
        }
        self.served = served.sorted { $0.file.path < $1.file.path }
    }

    /// The image id of a path: a UUID of version 8 (RFC 9562 section 5.8), the same at each start, so that URLs do not change.
    private static func id(of path: String) -> ImageID {
        let stream = DigestStream(.sha256)
        Array(path.utf8).withUnsafeBytes { stream.update($0) }
        var bytes = Array(stream.finish().bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        return bytes.withUnsafeBytes { ImageID($0.loadUnaligned(as: uuid_t.self)) }
    }

    var description: String { "images of a directory" }

    /// Starts the output. Called when the server listens and the images can be requested.
    /// - Parameter address: the server's URL, or `unix:` and the path of its socket file.
    func listens(at address: String) { listening.yield(address) }

    /// Prints the table of images, then a line for each image that becomes ready later. Ends with the server.
    func run() async throws {
        try await cancelWhenGracefulShutdown {
            for await address in self.addresses {
                try await self.announce(at: address)
                break
            }
            // The server stops when one of its services ends.
            for await _ in self.addresses {}
        }
    }

    private func announce(at address: String) async throws {
        let start = ContinuousClock.now
        var waiting = served.sorted { $0.file.size < $1.file.size }
        var failed: [String] = []
        while !waiting.isEmpty {
            let elapsed = ContinuousClock.now - start
            guard elapsed < (waiting.count + failed.count < served.count ? Self.showDelay : Self.longestShowDelay) else {
                break
            }
            failed += try await settle(&waiting).failed
            if !waiting.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
        }
        show(at: address, waiting: Set(waiting.map(\.image)))
        for line in failed { Standard.error.line(line) }
        while !waiting.isEmpty {
            try await Task.sleep(for: .milliseconds(200))
            let changes = try await settle(&waiting)
            for line in changes.failed { Standard.error.line(line) }
            for line in changes.ready { Standard.output.line(line) }
        }
    }

    /// Removes images whose full read has ended from `waiting`, and returns a line for each.
    /// - Throws: `CatalogError`.
    private func settle(_ waiting: inout [Served]) async throws -> (ready: [String], failed: [String]) {
        var changes: (ready: [String], failed: [String]) = ([], [])
        for image in waiting.prefix(Self.batch) {
            switch try await state(of: image) {
            case .waiting: continue
            case .ready: changes.ready.append("ready: \(image.file.path)")
            case .failed(let reason): changes.failed.append("baton: \(image.file.path) is not served: \(reason)")
            }
            waiting.removeAll { $0.image == image.image }
        }
        return changes
    }

    private func state(of image: Served) async throws -> State {
        guard let location = try await catalog.location(image.location) else { return .failed("it was deleted") }
        switch location.state.status {
        case .active: return .ready
        case .quarantined, .disabled, .pendingDelete, .deleted:
            let reason = try await catalog.history(of: location.id).last?.reason
            return .failed(reason ?? "it is \(location.state.status.rawValue)")
        default: return health.lastFailure(of: location.id).map { .failed("\($0.failure)") } ?? .waiting
        }
    }

    private func show(at address: String, waiting: Set<ImageID>) {
        var table = Table("NAME", "FORMAT", "SIZE", "STATUS", "URL")
        for image in served {
            table.add(
                image.file.path, image.file.format.rawValue, ProgressLine.bytes(image.file.size),
                waiting.contains(image.image) ? "reading" : "ready", url(of: image, at: address))
        }
        let count = served.count == 1 ? "1 image" : "\(served.count) images"
        Standard.output.line("Serving \(count) of \(root); files that are added later are seen at the next start.")
        Standard.output.line("")
        Standard.output.lines(table.text)
        Standard.output.line("")
        guard let example = served.first(where: { !waiting.contains($0.image) }) ?? served.first else { return }
        let name = example.file.path.split(separator: "/").last.map(String.init) ?? example.file.path
        Standard.output.line("In another terminal:")
        if address.hasPrefix("unix:") {
            Standard.output.line("  baton get --endpoint \(address.quoted) \(example.file.path.quoted)")
        } else {
            let endpoint = address == EndpointOptions.standardURL ? "" : "--endpoint \(address) "
            Standard.output.line("  curl -o \(name.quoted) \(url(of: example, at: address))")
            Standard.output.line("  baton get \(endpoint)\(example.file.path.quoted)")
        }
        if !waiting.isEmpty {
            Standard.output.line("")
            Standard.output.line(
                "Each image is read once for its digest before it is served; until then downloads of it are answered with 503.")
        }
    }

    private func url(of image: Served, at address: String) -> String {
        address.hasPrefix("unix:") ? "/v2/images/\(image.image)/file" : "\(address)/v2/images/\(image.image)/file"
    }
}

extension String {
    /// The text as one shell word, quoted if necessary.
    fileprivate var quoted: String {
        let isPlain = utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "/"), UInt8(ascii: ":"):
                true
            default: false
            }
        }
        return isPlain && !isEmpty ? self : "'\(replacing("'", with: #"'\''"#))'"
    }
}
