import ImageModel

extension FormatInspector {
    /// How many bytes of an image's beginning tell its format.
    package static let beginningLength = headLength
    /// How many bytes of its end do.
    package static let endingLength = Tail.length

    /// The format that an image's bytes are of; nil where they give none away, which means raw.
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
