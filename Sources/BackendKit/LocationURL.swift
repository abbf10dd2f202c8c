import CurlTransfer
import ImageModel
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
