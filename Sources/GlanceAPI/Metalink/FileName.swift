import ImageModel

/// The name that a file of an image gets on a client's disk.
enum FileName {
    /// The most bytes of a name: file systems take 255, and clients put something behind it while they download.
    private static let limit = 200

    /// The image's name as far as it can be one of a file; else its id. Another representation than the image's own, and a file named by
    /// its id, end in the format.
    static func of(_ representation: Representation, image: Image) -> String {
        let safe = safe(image.name ?? "")
        if representation.format == image.format, let safe { return safe }
        return "\(safe ?? image.id.description).\(representation.format.disk.rawValue)"
    }

    /// The text without what leads elsewhere (RFC 5854 section 4.1.2.1), can't be seen, or is no part of names on some system; nil if
    /// nothing is left.
    static func safe(_ text: String) -> String? {
        var scalars = String.UnicodeScalarView(text.unicodeScalars.map { isSafe($0) ? $0 : "_" })[...]
        // Nothing that is hidden, a way up, or an option of a command; by scalars, since a dot with an accent is another character.
        scalars = scalars.drop { [".", " ", "-", "~"].contains($0) }
        var name = Substring(scalars)
        while name.utf8.count > limit { name.removeLast() }
        while let last = name.unicodeScalars.last, last == "." || last == " " { name.unicodeScalars.removeLast() }
        return name.isEmpty ? nil : String(name)
    }

    private static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: false
        default: !"/\\:*?\"<>|".unicodeScalars.contains(scalar)
        }
    }
}
