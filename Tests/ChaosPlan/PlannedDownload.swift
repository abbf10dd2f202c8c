/// One download of a chaos run, and the faults that will hit it.
package struct PlannedDownload: Sendable, Equatable {
    /// 0 for the first of the schedule.
    package let number: Int
    package let client: ClientKind
    package let fault: Fault
    /// The image's size in bytes; a lane has one image of each size.
    package let imageSize: Int64
    /// What the client asks for.
    package let range: Range<Int64>
    /// In the order of their offsets; each hits another location.
    package let injections: [Injection]
    /// Whether a location that was hit refuses all requests until the download is over.
    package let isLasting: Bool
    /// The offset at which an abandoning client disconnects.
    package let leavesAt: Int64?

    /// An undisturbed download of a whole image; Baton makes the image's manifest from it.
    package static func undisturbed(_ imageSize: Int64) -> PlannedDownload {
        PlannedDownload(
            number: -1, client: .whole, fault: .pause, imageSize: imageSize, range: 0..<imageSize, injections: [],
            isLasting: false, leavesAt: nil)
    }

    /// What is wrong with the plan itself; nil when it is sound.
    package var flaw: String? {
        if range.lowerBound < 0 || range.upperBound > imageSize || range.isEmpty { return "asks for bytes beyond the image" }
        if injections.isEmpty { return "has no injection" }
        if injections.count >= fault.target.locations { return "no good location is left" }
        if injections.contains(where: { $0.offset <= range.lowerBound || $0.offset >= range.upperBound - 1 }) {
            return "an injection is not between its first and its last byte"
        }
        if zip(injections, injections.dropFirst()).contains(where: { $0.offset > $1.offset }) {
            return "its injections are out of order"
        }
        if let leavesAt, leavesAt <= injections[0].offset { return "its client disconnects before the first injection" }
        return nil
    }
}
