package import ImageModel
import RelayEngine

// Reads the file section by section.
extension BatonConfiguration {
    init(_ file: Section) {
        self.init()
        auth.read(file.section("auth"))
        readServer(file.section("server"))
        readCatalog(file)
        activation = file.choice("activation", default: activation)
        readSelection(file.section("selection"))
        readRelay(file.section("relay"))
        readMaintenance(file.section("maintenance", formerly: "upkeep"))
        readManifests(file.section("manifests"))
        readTransfer(file.section("transfer"))
        readDirect(file.section("direct"))
        readUploads(file.section("uploads"))
        readQuotas(file.section("quotas"))
        readLog(file.section("log"))
    }

    private mutating func readServer(_ section: Section) {
        let text = section.string("listen", default: server.listen.description)
        if let address = ListenAddress(text) {
            server.listen = address
            if !auth.mode.allows(address) {
                section.reject(
                    "listen",
                    "\"\(text)\" can be reached from other machines, which auth.mode none does not allow; "
                        + "listen at 127.0.0.1, [::1] or localhost, or set another auth.mode")
            }
        } else {
            section.reject(
                "listen", "\"\(text.prefix(64))\" is not an address and port; write for example \(ListenAddress.standard)")
        }
        server.socketMode = section.fileMode("socket_mode", default: server.socketMode)
        readCertificate(section)
        server.drainDelay = section.duration("drain_delay", default: server.drainDelay, in: .zero ... .seconds(3600))
        server.drainTimeout = section.duration("drain_timeout", default: server.drainTimeout, in: .zero ... .seconds(86_400))
        server.idleTimeout = section.duration("idle_timeout", default: server.idleTimeout, in: .seconds(1) ... .seconds(3600))
        server.headerTimeout = section.duration(
            "header_timeout", default: server.headerTimeout, in: .milliseconds(100) ... .seconds(600))
        server.maximumHeaderSize = section.bytes(
            "max_header_size", default: server.maximumHeaderSize, in: .kibibytes(4) ... .mebibytes(1))
        server.fileMode = section.fileMode("file_mode", default: server.fileMode)
        server.maximumConnections = section.integer("max_connections", in: 1...1_000_000)
        server.maximumConnectionsPerAddress = section.integer("max_connections_per_address", in: 1...1_000_000)
        server.publicURL = section.publicURL("public_url")
        server.corsOrigins = section.origins("cors_origins", allowsAll: auth.mode != .none)
        section.finish()
    }

    private mutating func readCertificate(_ section: Section) {
        let certificate = section.file("certificate_file", pem: "CERTIFICATE", "certificate")
        let key = section.file("key_file", pem: "PRIVATE KEY", "private key")
        let isThere = (section.string("certificate_file") != nil, section.string("key_file") != nil)
        if isThere.0 != isThere.1 {
            let (given, missing) = isThere.0 ? ("certificate_file", "key_file") : ("key_file", "certificate_file")
            section.reject(given, "needs \(missing)")
        }
        guard let certificate, let key else { return }
        server.certificate = .init(certificate: certificate, key: key)
    }

    private mutating func readCatalog(_ file: Section) {
        let text = file.string("catalog", default: "sqlite:\(catalog)")
        let path = text.dropFirst("sqlite:".count)
        guard text.hasPrefix("sqlite:"), !path.isEmpty else {
            return file.reject("catalog", "\"\(text.prefix(64))\" is not a catalog; write for example sqlite:var/baton.sqlite")
        }
        catalog = String(path)
    }

    private mutating func readSelection(_ section: Section) {
        selection.strategy = section.choice("strategy", default: selection.strategy)
        selection.penalty = section.duration("penalty", default: selection.penalty, in: .zero ... .seconds(3600))
        selection.breakerFailures = section.integer("breaker_failures", default: selection.breakerFailures, in: 1...1000)
        selection.breakerOpening = section.duration(
            "breaker_opening", default: selection.breakerOpening, in: .milliseconds(100) ... .seconds(3600))
        selection.breakerLongestOpening = section.duration(
            "breaker_longest_opening", default: max(selection.breakerLongestOpening, selection.breakerOpening),
            in: selection.breakerOpening ... .seconds(86_400))
        section.finish()
    }

    private mutating func readRelay(_ section: Section) {
        relay.connectTimeout = section.duration(
            "connect_timeout", default: relay.connectTimeout, in: .milliseconds(10) ... .seconds(60))
        relay.slab = section.bytes("slab", default: relay.slab, in: .kibibytes(64) ... .mebibytes(4))
        relay.policy.read(section, slab: relay.slab)
        relay.memory = section.bytes("memory", in: .mebibytes(64) ... .gibibytes(1024))
        relay.memoryTimeout = section.duration(
            "memory_timeout", default: relay.memoryTimeout, in: .milliseconds(10) ... .seconds(3600))
        relay.downloadsPerCaller = section.integer(
            "downloads_per_caller", default: relay.downloadsPerCaller, in: 0...1_000_000)
        section.finish()
    }

    private mutating func readMaintenance(_ section: Section) {
        let year = Duration.seconds(366 * 86_400)
        section.accept("round", insteadOf: "interval")
        maintenance.interval = section.duration(
            "interval", default: maintenance.interval, in: .milliseconds(10) ... .seconds(3600))
        maintenance.readers = section.integer("readers", default: maintenance.readers, in: 1...64)
        maintenance.readRate = section.bytes("read_rate", default: maintenance.readRate, in: ByteCount(0) ... .gibibytes(1024))
        maintenance.scrubInterval = section.duration("scrub_interval", default: maintenance.scrubInterval, in: .zero...year)
        maintenance.scrubRate = section.bytes(
            "scrub_rate", default: maintenance.scrubRate, in: .kibibytes(64) ... .gibibytes(1024))
        maintenance.missInterval = section.duration(
            "miss_interval", default: maintenance.missInterval, in: .milliseconds(10) ... .seconds(43_200))
        maintenance.recheck = section.duration(
            "recheck", default: maintenance.recheck, in: .milliseconds(10) ... .seconds(86_400))
        maintenance.deleteDelay = section.duration("delete_delay", default: maintenance.deleteDelay, in: .zero...year)
        section.finish()
    }

    private mutating func readManifests(_ section: Section) {
        let size = section.bytes("chunk_size", default: manifests.chunkSize, in: .kibibytes(64) ... .mebibytes(16))
        if size.count.nonzeroBitCount == 1 {
            manifests.chunkSize = size
        } else {
            section.reject("chunk_size", "\(size) is not a power of two; write for example 512KiB, 1MiB or 4MiB")
        }
        manifests.eager = section.boolean("eager", default: manifests.eager)
        section.finish()
    }

    private mutating func readTransfer(_ section: Section) {
        transfer.loops = section.integer("loops", default: transfer.loops, in: 0...64)
        transfer.fileWorkers = section.integer("file_workers", default: transfer.fileWorkers, in: 1...64)
        let window = ByteCount(Int(relay.policy.window))
        transfer.fileRange = section.bytes(
            "file_range", default: min(transfer.fileRange, window), in: .kibibytes(64)...window)
        section.finish()
    }

    private mutating func readDirect(_ section: Section) {
        // An S3 signature is valid for a week at most.
        direct.lifetime = section.duration("lifetime", default: direct.lifetime, in: .seconds(1) ... .seconds(7 * 86_400))
        section.finish()
    }

    private mutating func readLog(_ section: Section) {
        log.level = section.choice("level", default: log.level)
        log.format = section.choice("format", default: log.format)
        section.finish()
    }
}

extension BatonConfiguration {
    /// The settings of clients' uploads.
    package struct Uploads: Sendable, Equatable {
        /// The backend that stores uploads; nil disables them.
        package var backend: BackendID?
        /// The largest upload in bytes.
        package var maximumSize: ByteCount = .gibibytes(1024)
        /// Whether uploads and full reads of locations check the bytes against the declared format.
        package var isInspectingFormat = true
    }

    mutating func readUploads(_ section: Section) {
        uploads.backend = section.string("backend").map { BackendID($0) }
        uploads.maximumSize = section.bytes(
            "max_size", default: uploads.maximumSize, in: .mebibytes(1) ... .gibibytes(1 << 20))
        uploads.isInspectingFormat = section.boolean("inspect_format", default: uploads.isInspectingFormat)
        section.finish()
    }

    mutating func readQuotas(_ section: Section) {
        quotas.images = section.integer("images", default: quotas.images, in: 0...1_000_000_000)
        quotas.bytes = section.bytes("bytes", default: quotas.bytes, in: ByteCount(0) ... .gibibytes(1 << 20))
        section.finish()
    }

    /// Checks that the backend for uploads is configured. Its driver's reader checks that it accepts uploads.
    func checkUploads(_ section: Section, backends: [String]) {
        guard let backend = uploads.backend, !backends.contains(backend.name) else { return }
        let known = backends.isEmpty ? "no backend is configured" : "possible: \(backends.joined(separator: ", "))"
        section.reject("backend", "\"\(backend.name.prefix(64))\" is not a backend; \(known)")
    }
}
