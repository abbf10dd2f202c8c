/// The origin of each byte of a download.
package struct DownloadOrigins: Sendable, Equatable {
    /// An origin of bytes.
    package enum Source: Sendable, Hashable {
        /// An earlier run had fetched them.
        case kept
        /// The server streamed them.
        case stream
        /// A location of this backend, read directly.
        case direct(backend: String)
    }

    /// A run of bytes from one origin.
    package struct Part: Sendable, Hashable {
        package let source: Source
        /// The offset of the first byte.
        package let first: Int64
        /// The offset of the last byte.
        package fileprivate(set) var last: Int64
    }

    /// The parts, without gaps from offset 0 on.
    package private(set) var parts: [Part] = []

    /// Whether any bytes came directly from a location.
    var hasDirect: Bool {
        parts.contains { part in
            if case .direct = part.source { true } else { false }
        }
    }

    private var end: Int64 { parts.last.map { $0.last + 1 } ?? 0 }

    /// Drops the bytes from this offset on, which no longer exist.
    mutating func cut(to offset: Int64) {
        parts.removeAll { $0.first >= offset }
        if let index = parts.indices.last { parts[index].last = min(parts[index].last, offset - 1) }
    }

    /// Assigns all new bytes up to this offset to the source.
    mutating func extend(to offset: Int64, from source: Source) {
        guard offset > end else { return }
        if let index = parts.indices.last, parts[index].source == source {
            parts[index].last = offset - 1
        } else {
            parts.append(Part(source: source, first: end, last: offset - 1))
        }
    }
}
