package import BackendKit

/// One container of an account, and the prefix of its objects that a backend covers. The log-in provides the account's URL.
package struct OpenStackSwiftContainer: Sendable, Hashable {
    private let segments: [String]

    /// - Parameters:
    ///   - name: 1 to 256 bytes, without slashes.
    ///   - prefix: the segments that all object names begin with; empty for the whole container.
    /// - Throws: `InvalidOpenStackSwiftContainer` that names the invalid part.
    package init(_ name: String, prefix: String = "") throws(InvalidOpenStackSwiftContainer) {
        guard (1...256).contains(name.utf8.count), Self.segments(of: name) == [name] else { throw .name }
        guard let path = prefix.isEmpty ? [] : Self.segments(of: prefix) else { throw .prefix }
        segments = [name] + path
    }

    /// The path of an object for the wire. Each byte of the key is literal: none is a separator.
    func path(of key: String, in account: LocationURL) -> String {
        LocationURL.encode(key: decodedPath(of: key, in: account))
    }

    /// The URL of an object for the wire.
    func url(of key: String, in account: LocationURL) -> String {
        "\(account.scheme)://\(account.authority)\(path(of: key, in: account))"
    }

    /// The decoded path of an object, as the store reads it.
    func decodedPath(of key: String, in account: LocationURL) -> String {
        (account.segments + segments + [key]).map { "/" + $0 }.joined()
    }

    /// The URL that all its locations lie below.
    package func base(in account: LocationURL) -> LocationURL? {
        try? LocationURL("\(account)" + segments.map { "/" + LocationURL.encode(path: $0) }.joined())
    }

    /// The segments of a path by the rules of locations: none is empty, `.` or `..`.
    private static func segments(of path: String) -> [String]? {
        try? LocationURL("http://container/" + LocationURL.encode(path: path)).segments
    }
}

/// The invalid part of a container.
package enum InvalidOpenStackSwiftContainer: Error, Sendable, Hashable, CustomStringConvertible {
    case name
    case prefix

    package var description: String {
        switch self {
        case .name: "is not a container name: 1 to 256 bytes without slashes, backslashes and NUL, and not . or .."
        case .prefix: "has an empty segment, a dot segment or a backslash; write whole segments, e.g. images/"
        }
    }
}
