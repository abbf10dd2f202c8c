/// When a server is killed: at a randomly chosen event, never at a time.
enum CrashMoment: Sendable, Equatable, CustomStringConvertible {
    /// After that many answered changes.
    case answered(Int)
    /// After that many bytes received by clients.
    case downloaded(Int)
    /// At that write to the catalog's log, which is often in the middle of a transaction.
    case written(Int)
    /// At that write to the catalog's own file, which is in the middle of a checkpoint.
    case checkpointed(Int)
    /// After the saved progress of a full read was seen that many times in the manifest's second page.
    case readHalf(Int)
    /// At that write to the log after the whole download of an image whose two-page manifest did not exist yet.
    case delivered(Int)

    /// A random moment.
    static func random(using generator: inout some RandomNumberGenerator) -> CrashMoment {
        switch Int.random(in: 0..<18, using: &generator) {
        case 0..<3: .answered(.random(in: 1...120, using: &generator))
        case 3..<6: .downloaded(.random(in: 1...(64 << 20), using: &generator))
        case 6..<10: .written(.random(in: 1...1500, using: &generator))
        case 10: .checkpointed(.random(in: 1...12, using: &generator))
        case 11..<13: .readHalf(1)
        default: .delivered(.random(in: 20...100, using: &generator))
        }
    }

    /// Whether it waits for a read that must stall half-way.
    var holdsReads: Bool { if case .readHalf = self { true } else { false } }

    var description: String {
        switch self {
        case .answered(let count): "after \(count) answered changes"
        case .downloaded(let count): "after \(count) downloaded bytes"
        case .written(let count): "at write \(count) to the log"
        case .checkpointed(let count): "at write \(count) to the catalog's file"
        case .readHalf(let count): "after \(count) half reads"
        case .delivered(let count): "at write \(count) to the log after a delivery"
        }
    }
}
