/// A snapshot of a catalog's file.
struct CatalogAccount: Sendable, Equatable {
    /// A line of a location's history.
    struct Line: Sendable, Equatable {
        var event: String
        var from: String
        var to: String
        var actor: String
        var reason: String
    }

    /// A location.
    struct Entry: Sendable, Equatable {
        var id: String
        var image: String
        var url: String
        var status: String
        /// The statuses that it can return to, the latest last.
        var before: [String]
        var weight: Int
        var metadata: [String: String]
        var size: Int64?
        /// By algorithm, in hexadecimal digits.
        var digests: [String: String]
        /// The position of an unfinished full read of it.
        var progress: Int64?
        /// The digests of the chunks that the read has finished, if it makes a manifest.
        var chunks: ReadChunks?
        /// The oldest first.
        var history: [Line]
    }

    /// The part of a manifest that an unfinished read has made.
    struct ReadChunks: Sendable, Equatable {
        var chunkSize: Int64
        var algorithm: String
        /// In the order of their numbers.
        var pages: [Page]

        /// A page of digests.
        struct Page: Sendable, Equatable {
            var number: Int
            var digests: [UInt8]
        }
    }

    /// A representation.
    struct Content: Sendable, Equatable {
        var image: String
        var size: Int64
        /// `sha256:…`.
        var identity: String
        var isOnIntegrityHold: Bool
        var hasDigestConflict: Bool
    }

    /// The digests of a representation's chunks.
    struct Manifest: Sendable, Equatable {
        /// A page of them.
        struct Page: Sendable, Equatable {
            var number: Int
            var digests: [UInt8]
            var seal: [UInt8]
        }

        var image: String
        var identity: String
        var size: Int64
        var chunkSize: Int64
        var algorithm: String
        /// In order.
        var pages: [Page]
    }

    var images: Set<String>
    var contents: [Content]
    var manifests: [Manifest] = []
    /// In order of registration.
    var entries: [Entry]

    /// The locations whose read has not ended, or that have not been probed.
    var unsettled: Set<String> {
        Set(entries.filter { $0.status == "verifying" || $0.status == "pending" }.map(\.id))
    }
}

/// A contradiction between a catalog and the server's answers, or within the catalog.
struct Contradiction: Sendable, Equatable, CustomStringConvertible {
    enum Kind: String, Sendable {
        /// Something that was answered is missing.
        case lost
        /// Something exists that must not.
        case wrong
    }

    let kind: Kind
    let about: String
    let text: String

    var description: String { "\(kind.rawValue): \(about): \(text)" }
}
