package import ImageModel

/// The reason why an image's bytes are not acceptable for its declared format; one sentence for a person.
package enum FormatRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// The bytes have another format than the declared one; nil if no format is recognized.
    case mismatch(declared: DiskFormat, found: DetectedFormat?)
    /// The bytes have the declared format and another one: two programs would see two images.
    case ambiguous(declared: DiskFormat, found: DetectedFormat)
    /// The format is known, and the image uses a refused feature of it.
    case hazard(DetectedFormat, Hazard)

    /// A refused feature. Most of them make the program that opens the image read another file of its host.
    package enum Hazard: String, Sendable, Hashable, CaseIterable {
        case backingFile = "names a backing file"
        case dataFile = "keeps its data in another file"
        case unknownFeatures = "uses incompatible features that are not known to be safe"
        case unknownVersion = "has a version that is not known to be safe"
        case noDescriptor = "has no readable descriptor inside"
        case unsafeCreateType = "is of a kind other than monolithicSparse and streamOptimized"
        case externalExtents = "has extents in other files"
        case parent = "is a difference to a parent image"
        case unsafeType = "is of a kind that is not known to be safe"
        case footer = "has a footer that contradicts its header"
        case damaged = "has a damaged or incomplete header"
    }

    /// The problem and the remedy.
    package var description: String {
        switch self {
        case .mismatch(let declared, let found?):
            "The image's bytes are \(found.rawValue), and its disk_format is \(declared.rawValue): correct the disk_format, or "
                + "convert the image."
        case .mismatch(let declared, nil):
            "The image's bytes are not \(declared.rawValue), which is its disk_format: correct the disk_format, or convert the "
                + "image."
        case .ambiguous(let declared, let found):
            "The image's bytes are both \(declared.rawValue) and \(found.rawValue): convert the image to one format."
        case .hazard(let format, let hazard):
            "The \(format.rawValue) image \(hazard.rawValue), which is refused: convert it to one complete file, for example "
                + "with qemu-img convert."
        }
    }
}
