package import ImageModel

extension BatonConfiguration {
    /// Where clients' uploads go.
    package struct Uploads: Sendable, Equatable {
        /// The backend that takes them; nil when there are none.
        package var backend: BackendID?
        /// The most bytes of one upload.
        package var maximumSize: ByteCount = .gibibytes(1024)
        /// Whether uploads and full reads of locations hold the bytes against the declared format.
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

    /// Holds the name of the backend against those that there are. (Whether its driver can be written to, its driver says.)
    func checkUploads(_ section: Section, backends: [String]) {
        guard let backend = uploads.backend, !backends.contains(backend.name) else { return }
        let known = backends.isEmpty ? "none is configured" : "there are \(backends.joined(separator: ", "))"
        section.reject("backend", "\"\(backend.name.prefix(64))\" is no backend; \(known)")
    }
}
