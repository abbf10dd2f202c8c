package import ImageModel

extension BatonConfiguration {
    /// The settings of clients' uploads.
    package struct Uploads: Sendable, Equatable {
        /// The backend that stores uploads; nil disables them.
        package var backend: BackendID?
        /// The largest upload in bytes.
        package var maximumSize: ByteCount = .gibibytes(1024)
        /// Whether uploads and full reads of locations check the bytes against the declared format.
        package var inspectsFormat = true
    }

    mutating func readUploads(_ section: Section) {
        uploads.backend = section.string("backend").map { BackendID($0) }
        uploads.maximumSize = section.bytes(
            "max_size", default: uploads.maximumSize, in: .mebibytes(1) ... .gibibytes(1 << 20))
        uploads.inspectsFormat = section.boolean("inspect_format", default: uploads.inspectsFormat)
        section.finish()
    }

    mutating func readQuotas(_ section: Section) {
        quotas.images = section.integer("images", default: quotas.images, in: 0...1_000_000_000)
        quotas.bytes = section.bytes("bytes", default: quotas.bytes, in: ByteCount(0) ... .gibibytes(1 << 20))
        section.finish()
    }

    /// Checks that the named backend is configured. (The driver decides whether it is writable.)
    func checkUploads(_ section: Section, backends: [String]) {
        guard let backend = uploads.backend, !backends.contains(backend.name) else { return }
        let known = backends.isEmpty ? "none is configured" : "there are \(backends.joined(separator: ", "))"
        section.reject("backend", "\"\(backend.name.prefix(64))\" is no backend; \(known)")
    }
}
