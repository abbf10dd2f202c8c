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
    /// When so many unfinished full reads were written down.
    case readHalf(Int)

    /// Any of them.
    static func random(using generator: inout some RandomNumberGenerator) -> CrashMoment {
        switch Int.random(in: 0..<12, using: &generator) {
        case 0..<3: .answered(.random(in: 1...120, using: &generator))
        case 3..<6: .downloaded(.random(in: 1...(64 << 20), using: &generator))
        case 6..<10: .written(.random(in: 1...1500, using: &generator))
        case 10: .checkpointed(.random(in: 1...12, using: &generator))
        default: .readHalf(1)
        }
    }

    var description: String {
        switch self {
        case .answered(let count): "after \(count) answered changes"
        case .downloaded(let count): "after \(count) downloaded bytes"
        case .written(let count): "at write \(count) to the log"
        case .checkpointed(let count): "at write \(count) to the catalog's file"
        case .readHalf(let count): "after \(count) half reads"
        }
    }
}
