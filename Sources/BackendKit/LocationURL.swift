import CurlTransfer
package import ImageModel
import NetworkAddress

/// A location's or a backend's URL, parsed strictly enough for an allow-list: a scheme, a host, a port and whole path segments.
/// It refuses anything that another parser could read differently.
package struct LocationURL: Sendable, Hashable {
    /// The scheme in lower case.
    package let scheme: String
    /// The host in lower case; empty for `file`. An IPv6 address is in brackets, in its canonical form (RFC 5952).
    package let host: String
    /// The port; the scheme's default if the URL names none; 0 for `file`.
    package let port: Int
    /// The decoded path segments. None is empty, `.` or `..`.
    package let segments: [String]

    /// Parses a URL.
    /// - Throws: `InvalidLocationURL` that names the problem.
    package init(_ text: String) throws(InvalidLocationURL) {
        guard let separator = text.firstRange(of: "://") else { throw .noScheme }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else { throw .illegalCharacter }
        scheme = text[..<separator.lowerBound].lowercased()
        let rest = text[separator.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        let path = rest[slash...]
        guard !authority.contains("@") else { throw .credentials }
        guard !text.contains("?"), !text.contains("#") else { throw .queryOrFragment }
        (host, port) = try Self.parse(authority: authority, scheme: scheme)
        segments = try Self.parse(path: path)
    }

    /// The path of this URL below `base`, decoded; nil if it lies outside or equals `base`.
    package func path(below base: LocationURL) -> String? {
        guard hasOrigin(of: base), segments.count > base.segments.count,
            // Compares bytes: canonically equivalent Unicode strings are two different paths.
            segments.starts(with: base.segments, by: { $0.utf8.elementsEqual($1.utf8) })
        else { return nil }
        return segments.dropFirst(base.segments.count).joined(separator: "/")
    }

    /// Whether both URLs have the same scheme, host and port.
    package func hasOrigin(of other: LocationURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    private static func parse(authority: Substring, scheme: String) throws(InvalidLocationURL) -> (String, Int) {
        let standardPorts = ["http": 80, "https": 443, "file": 0]
        guard let standardPort = standardPorts[scheme] else { throw .unknownScheme(scheme) }
        if scheme == "file" {
            guard authority.isEmpty || authority == "localhost" else { throw .invalidHost }
            return ("", 0)
        }
        var host = authority
        var port = standardPort
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0 else { throw .invalidHost }
            host = authority[..<colon]
            port = Int(number)
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            // The canonical form, so that equal addresses are equal hosts.
            let literal = host.dropFirst().dropLast()
            guard literal.contains(":"), !literal.contains("%"), let address = IPAddress(literal) else { throw .invalidHost }
            return (address.isFour ? "\(address)" : "[\(address)]", port)
        }
        let isLegal = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard !host.isEmpty, isLegal else { throw .invalidHost }
        return (host.lowercased(), port)
    }

    private static func parse(path: Substring) throws(InvalidLocationURL) -> [String] {
        var segments: [String] = []
        for part in path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard let bytes = PercentEncoding.bytes(of: part), let segment = String(validating: bytes, as: UTF8.self) else {
                throw .invalidEscape
            }
            // Parsers disagree on an encoded slash: a separator for some, a character for others. The same holds for NUL.
            guard !bytes.contains(UInt8(ascii: "/")), !bytes.contains(0), !bytes.contains(UInt8(ascii: "\\")) else {
                throw .invalidEscape
            }
            guard segment != ".", segment != ".." else { throw .dotSegment }
            segments.append(segment)
        }
        if segments.last == "" { segments.removeLast() }
        guard !segments.contains("") else { throw .emptySegment }
        return segments
    }
}

extension LocationURL {
    /// Percent-encodes a path: everything but unreserved characters (RFC 3986 section 2.3) and slashes.
    package static func encode(path: String) -> String {
        PercentEncoding.encode(path, keeping: "/")
    }
}

extension LocationURL {
    /// Percent-encodes an object's key as a URL path. The segments `.` and `..`, which no new location has, are escaped as
    /// well: any client, proxy or server may otherwise normalize the path.
    package static func encode(key: String) -> String {
        key.pathSegments.map { segment in
            switch segment {
            case ".": "%2E"
            case "..": "%2E%2E"
            default: encode(path: segment)
            }
        }.joined(separator: "/")
    }
}

extension LocationURL: CustomStringConvertible {
    /// The value of a Host field: the host, with the port unless it is the scheme's default.
    package var authority: String {
        let standardPorts = ["http": 80, "https": 443, "file": 0]
        return standardPorts[scheme] == port ? host : "\(host):\(port)"
    }

    /// The encoded URL without a trailing slash.
    package var description: String {
        "\(scheme)://\(authority)" + segments.map { "/" + Self.encode(path: $0) }.joined()
    }
}

/// The reason why a text is not a location URL. It never contains the URL, which may hold credentials.
package enum InvalidLocationURL: Error, Sendable, Hashable, CustomStringConvertible {
    case noScheme
    case unknownScheme(String)
    case illegalCharacter
    case credentials
    case queryOrFragment
    case invalidHost
    case invalidEscape
    case dotSegment
    case emptySegment
    case invalidKey

    /// One sentence that names the problem and the remedy.
    package var description: String {
        switch self {
        case .noScheme: "the URL has no scheme: write for example http://host/path or file:///path"
        case .unknownScheme(let scheme):
            "the URL's scheme \(scheme.excerpt(16)) is not known: use http, https or file, or s3 or swift for a backend of that driver"
        case .illegalCharacter: "the URL holds a space, a backslash or a character outside ASCII: percent-encode it"
        case .credentials: "the URL holds credentials: put them into the backend's configuration, never into a URL"
        case .queryOrFragment: "the URL has a query or a fragment: a location is named by its path alone"
        case .invalidHost: "the URL's host or port is malformed"
        case .invalidEscape: "the URL's path has a malformed escape, or one that stands for a slash, a backslash or NUL"
        case .dotSegment:
            "the URL's path has a segment . or .., plain or encoded, which servers remove: write the resulting path"
        case .emptySegment: "the URL's path has two slashes in a row: write one"
        case .invalidKey: "the URL names no object: after BACKEND/ it needs the key, percent-encoded, in UTF-8 and without NUL"
        }
    }
}

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
