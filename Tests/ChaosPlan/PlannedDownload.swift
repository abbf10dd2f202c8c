/// One download of a chaos run, and what will happen to it.
package struct PlannedDownload: Sendable, Equatable {
    /// 0 for the first of the schedule.
    package let number: Int
    package let client: ClientKind
    package let fault: Fault
    /// The image's size in bytes; a lane has one image of each size.
    package let imageSize: Int64
    /// What the client asks for.
    package let range: Range<Int64>
    /// In the order of their offsets; each strikes another location.
    package let strikes: [Strike]
    /// Whether a location that was struck refuses all that is asked of it until the download is over.
    package let isLasting: Bool
    /// Where an abandoning client leaves.
    package let leavesAt: Int64?

    /// An undisturbed download of a whole image; Baton learns the image's chunks from it.
    package static func undisturbed(_ imageSize: Int64) -> PlannedDownload {
        PlannedDownload(
            number: -1, client: .whole, fault: .pause, imageSize: imageSize, range: 0..<imageSize, strikes: [],
            isLasting: false, leavesAt: nil)
    }

    /// What is wrong with the plan itself; nil when nothing is.
    package var flaw: String? {
        if range.lowerBound < 0 || range.upperBound > imageSize || range.isEmpty { return "asks for bytes that there are not" }
        if strikes.isEmpty { return "nothing strikes it" }
        if strikes.count >= fault.site.locations { return "no good location is left" }
        if strikes.contains(where: { $0.offset <= range.lowerBound || $0.offset >= range.upperBound - 1 }) {
            return "a strike is not between its first and its last byte"
        }
        if zip(strikes, strikes.dropFirst()).contains(where: { $0.offset > $1.offset }) {
            return "its strikes are out of order"
        }
        if let leavesAt, leavesAt <= strikes[0].offset { return "its client leaves before anything happens" }
        return nil
    }
}
