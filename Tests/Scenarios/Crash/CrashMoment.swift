/// When a server is killed: at an event, which one is left to chance. No clock is asked.
enum CrashMoment: Sendable, Equatable, CustomStringConvertible {
    /// When so many changes were answered.
    case answered(Int)
    /// When clients have so many bytes.
    case downloaded(Int)
    /// At so many writes to the catalog's log, which is in the middle of a transaction as often as not.
    case written(Int)
    /// At so many writes to the catalog's own file, which is in the middle of a checkpoint.
    case checkpointed(Int)
    /// When a full read that makes a manifest was seen so many times to be written down half-way, in the manifest's second page.
    case readHalf(Int)
    /// At so many writes to the log after an image was delivered whole whose manifest has two pages and was not there yet.
    case delivered(Int)

    /// Any of them.
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

    /// Whether it waits for a read that has to stop half-way.
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
