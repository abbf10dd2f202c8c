import ImageModel

extension FormatInspector {
    /// The number of bytes at the beginning of an image that `format(beginning:ending:)` needs.
    package static let beginningLength = headLength
    /// The number of bytes at the end of an image that `format(beginning:ending:)` needs.
    package static let endingLength = Tail.length

    /// Detects the format of an image; nil if no format is recognized, which means raw.
    /// - Parameters:
    ///   - beginning: the first `beginningLength` bytes, or all of a shorter image.
    ///   - ending: the last `endingLength` bytes, or all of a shorter image.
    package static func format(beginning: [UInt8], ending: [UInt8]) -> DetectedFormat? {
        FormatInspector(
            declared: Format(disk: .raw, container: .bare), position: 0,
            head: Region(at: 0, length: headLength, bytes: beginning), tail: Tail(bytes: ending), vhdx: []
        ).detected.first
    }
}
