package import ImageModel

/// The URL of an object by its key, `s3://BACKEND/KEY`, for stores whose keys are not paths. A key may contain what a
/// `LocationURL` refuses.
///
/// The host is the id of a configured backend. The text after its slash is the percent-encoded key, which is literal once
/// decoded: repeated, leading and trailing slashes are ordinary characters. The segments `.` and `..` are refused: any server
/// or proxy may normalize the path of the request, which then names another object.
package struct KeyURL: Sendable, Hashable {
    /// The scheme in lower case.
    package let scheme: String
    /// The backend's id, which need not be configured.
    package let backend: BackendID
    /// The decoded key; never empty.
    package let key: String

    /// Parses a URL.
    /// - Throws: `InvalidLocationURL` that names the problem.
    package init(_ text: String) throws(InvalidLocationURL) {
        guard let separator = text.firstRange(of: "://") else { throw .noScheme }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else { throw .illegalCharacter }
        guard !text.contains("?"), !text.contains("#") else { throw .queryOrFragment }
        let rest = text[separator.upperBound...]
        guard let slash = rest.firstIndex(of: "/") else { throw .invalidKey }
        guard !rest[..<slash].contains("@") else { throw .credentials }
        guard let bytes = PercentEncoding.bytes(of: rest[rest.index(after: slash)...]), !bytes.isEmpty, !bytes.contains(0),
            let key = String(validating: bytes, as: UTF8.self)
        else { throw .invalidKey }
        guard !key.pathSegments.contains(where: { $0 == "." || $0 == ".." }) else { throw .dotSegment }
        scheme = text[..<separator.lowerBound].lowercased()
        backend = BackendID(String(rest[..<slash]))
        self.key = key
    }
}

extension KeyURL: CustomStringConvertible {
    /// The URL, with only the necessary characters of the key escaped.
    package var description: String { "\(scheme)://\(backend)/\(LocationURL.encode(path: key))" }
}
