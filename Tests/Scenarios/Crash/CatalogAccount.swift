import ImageModel
import Integrity

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

extension CatalogAccount.Manifest {
    /// How it differs from the manifest of the content; nil if it does not.
    func flaw(of content: LocationBook.Content) -> String? {
        guard identity == "sha256:\(content.digests["sha256"] ?? "")", size == content.size else {
            return "it is of \(size) bytes with \(identity)"
        }
        guard let algorithm = DigestAlgorithm(rawValue: algorithm),
            let layout = ChunkLayout(size: size, chunkSize: chunkSize, algorithm: algorithm)
        else { return "chunks of \(chunkSize) bytes with \(algorithm) are not readable" }
        guard let right = Manifest(layout: layout, digests: content.chunks(layout)) else {
            return "there is nothing to compare"
        }
        guard pages.map(\.number) == Array(0..<layout.pageCount) else {
            return "it has the pages \(pages.map(\.number)) of \(layout.pageCount)"
        }
        for (page, expected) in zip(pages, right.pages) {
            if page.digests != expected.digests { return "page \(page.number) has a wrong digest" }
            if page.seal != expected.seal { return "page \(page.number) has a wrong seal" }
        }
        return nil
    }
}

extension CatalogAccount.ReadChunks {
    /// How it differs from the chunks that a read up to that position must have; nil if it does not.
    func flaw(of content: LocationBook.Content, at position: Int64) -> String? {
        guard let algorithm = DigestAlgorithm(rawValue: algorithm),
            let layout = ChunkLayout(size: content.size, chunkSize: chunkSize, algorithm: algorithm)
        else { return "chunks of \(chunkSize) bytes with \(algorithm) are not readable" }
        let finished = position == content.size ? layout.count : layout.chunk(at: position)
        let length = algorithm.byteCount
        let right = content.chunks(layout).prefix(finished * length)
        let count = finished == 0 ? 0 : layout.page(of: finished - 1) + 1
        guard pages.map(\.number) == Array(0..<count) else {
            return "it has the pages \(pages.map(\.number)) of \(count)"
        }
        for page in pages {
            let chunks = layout.chunks(of: page.number)
            let expected = right.dropFirst(chunks.lowerBound * length).prefix(chunks.count * length)
            if !page.digests.elementsEqual(expected) { return "page \(page.number) is not what was read" }
        }
        return nil
    }
}

extension CatalogAccount.Entry {
    /// Replays its history with the table of statuses and reports deviations.
    func flawsOfHistory() -> [Contradiction] {
        func wrong(_ text: String) -> [Contradiction] { [Contradiction(kind: .wrong, about: url, text: text)] }
        guard let first = history.first, first.event == "registered", first.from == "pending", first.to == "pending" else {
            return wrong("its history does not begin with its registration")
        }
        var state = LocationState()
        for (number, line) in history.enumerated().dropFirst() {
            guard line.from == state.status.rawValue else {
                return wrong("line \(number) begins at \(line.from), and the line before ends at \(state.status.rawValue)")
            }
            if let event = LocationEvent(rawValue: line.event) {
                do { try state.apply(event) } catch { return wrong("line \(number): \(error)") }
            }
            guard line.to == state.status.rawValue else {
                return wrong("line \(number), \(line.event), ends at \(line.to) in place of \(state.status.rawValue)")
            }
        }
        guard status == state.status.rawValue, before == state.before.map(\.rawValue) else {
            return wrong(
                "it is \(status) over \(before), and its history ends at \(state.status.rawValue) over \(state.before)")
        }
        return []
    }
}

extension CatalogAccount {
    /// Checks that a start has ended the reads that the crash before it interrupted.
    /// - Parameter left: the account as the crash left it.
    func flawsOfRecovery(from left: CatalogAccount) -> [Contradiction] {
        left.entries.filter { $0.status == "verifying" }.flatMap { cut -> [Contradiction] in
            guard let now = entries.first(where: { $0.id == cut.id }), now.history.count > cut.history.count else {
                return [Contradiction(kind: .lost, about: cut.url, text: "the start did not end the interrupted read")]
            }
            let line = now.history[cut.history.count]
            guard line.event == "unreachable", line.actor == "baton", line.to == cut.before.last ?? "pending" else {
                return [Contradiction(kind: .wrong, about: cut.url, text: "the interrupted read ended wrongly: \(line)")]
            }
            return []
        }
    }
}
