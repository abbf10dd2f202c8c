// Parts of texts whose limits and separators are not `Character`s.
extension StringProtocol {
    /// The beginning of a text, for a message: at most `limit` Unicode scalars. A limit in `Character`s would not bound the
    /// length, since a `Character` may consist of any number of scalars.
    package func excerpt(_ limit: Int) -> String { String(String.UnicodeScalarView(unicodeScalars.prefix(limit))) }

    /// The parts between the slashes, including empty ones. The text is split by bytes, as other programs do: Swift combines a
    /// slash and a following combining mark into one `Character` that is not a slash.
    package var pathSegments: [String] {
        utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension String {
    /// The index of the last slash, found by bytes as well.
    package var lastSlash: Index? { utf8.lastIndex(of: UInt8(ascii: "/")) }
}
