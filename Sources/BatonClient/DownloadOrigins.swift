/// Which bytes of a download came from where.
package struct DownloadOrigins: Sendable, Equatable {
    /// Where bytes came from.
    package enum Source: Sendable, Hashable {
        /// They were there: an earlier run had fetched them.
        case kept
        /// The server streamed them.
        case stream
        /// A location of this backend, without the server.
        case direct(backend: String)
    }

    /// Bytes in a row from one place.
    package struct Part: Sendable, Hashable {
        /// Where they came from.
        package let source: Source
        /// The offset of the first byte.
        package let first: Int64
        /// The offset of the last byte.
        package fileprivate(set) var last: Int64
    }

    /// The parts, without a gap from the first byte on.
    package private(set) var parts: [Part] = []

    /// Whether anything came from a location without the server.
    var hasDirect: Bool {
        parts.contains { part in
            if case .direct = part.source { true } else { false }
        }
    }

    private var end: Int64 { parts.last.map { $0.last + 1 } ?? 0 }

    /// Forgets the bytes from this offset on: they are not there any more.
    mutating func cut(to offset: Int64) {
        parts.removeAll { $0.first >= offset }
        if let index = parts.indices.last { parts[index].last = min(parts[index].last, offset - 1) }
    }

    /// Everything new up to this offset came from there.
    mutating func extend(to offset: Int64, from source: Source) {
        guard offset > end else { return }
        if let index = parts.indices.last, parts[index].source == source {
            parts[index].last = offset - 1
        } else {
            parts.append(Part(source: source, first: end, last: offset - 1))
        }
    }
}
