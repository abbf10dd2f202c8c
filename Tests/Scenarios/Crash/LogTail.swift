import Foundation

/// The part of a catalog's log (SQLite's WAL) behind its last commit: an incomplete transaction, which will never become visible.
struct LogTail: Sendable {
    /// The concatenated pages.
    let pages: Data

    private static let headLength = 32
    private static let frameHeadLength = 24

    /// - Parameter path: the log's file; a missing file has no pages.
    init(_ path: String) {
        let log = FileManager.default.contents(atPath: path) ?? Data()
        guard log.count >= Self.headLength else {
            pages = Data()
            return
        }
        let pageSize = Int(Self.number(log, at: 8))
        let salts = log[16..<24]
        var tail = Data()
        var start = Self.headLength
        // A frame with other salts is left from an earlier use of the file. The last frame may be cut.
        while pageSize > 0, start + Self.frameHeadLength <= log.count, log[(start + 8)..<(start + 16)] == salts {
            let end = min(log.count, start + Self.frameHeadLength + pageSize)
            let isCommit = Self.number(log, at: start + 4) != 0
            tail = isCommit ? Data() : tail + log[(start + Self.frameHeadLength)..<end]
            start += Self.frameHeadLength + pageSize
        }
        pages = tail
    }

    /// Whether some of these concatenated digests are in it.
    func holdsSome(of digests: [UInt8], length: Int) -> Bool {
        // A page of the file holds more than a hundred digests; some may be cut by its end.
        stride(from: 0, to: digests.count - length + 1, by: 40 * length).contains { offset in
            pages.range(of: Data(digests[offset..<(offset + length)])) != nil
        }
    }

    private static func number(_ log: Data, at offset: Int) -> UInt32 {
        log[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
