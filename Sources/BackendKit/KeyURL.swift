package import ImageModel

/// The URL of an object by its key, `s3://BACKEND/KEY`: for stores whose keys are no paths, so that a key may hold what a
/// `LocationURL` refuses.
///
/// The host is the id of a configured backend. What follows its slash is the key, percent-encoded, and taken literally once it is
/// decoded: slashes in a row and at the ends are characters like others. Segments `.` and `..` are refused: they can't be sent in
/// a way that no server and no proxy takes for a path to be shortened, and then it names another object.
package struct KeyURL: Sendable, Hashable {
    /// In lower case.
    package let scheme: String
    /// The backend, which may be in no configuration.
    package let backend: BackendID
    /// The key, decoded; never empty.
    package let key: String

    /// Reads a URL.
    /// - Throws: `InvalidLocationURL` saying what is wrong with it.
    package init(_ text: String) throws(InvalidLocationURL) {
        guard let separator = text.firstRange(of: "://") else { throw .noScheme }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else { throw .illegalCharacter }
        guard !text.contains("?"), !text.contains("#") else { throw .queryOrFragment }
        let rest = text[separator.upperBound...]
        guard let slash = rest.firstIndex(of: "/") else { throw .invalidKey }
        guard !rest[..<slash].contains("@") else { throw .credentials }
        guard let bytes = LocationURL.percentDecoded(rest[rest.index(after: slash)...]), !bytes.isEmpty, !bytes.contains(0),
            let key = String(validating: bytes, as: UTF8.self)
        else { throw .invalidKey }
        guard !key.pathSegments.contains(where: { $0 == "." || $0 == ".." }) else { throw .dotSegment }
        scheme = text[..<separator.lowerBound].lowercased()
        backend = BackendID(String(rest[..<slash]))
        self.key = key
    }
}

extension KeyURL: CustomStringConvertible {
    /// The URL, with only those characters of the key escaped that must be.
    package var description: String { "\(scheme)://\(backend)/\(LocationURL.encode(path: key))" }
}
