package import BackendKit

/// The address of a backend's objects: the store's URL, the bucket, and the key prefix that the backend covers.
package struct S3Endpoint: Sendable, Hashable {
    /// The style in which requests name the bucket.
    package enum Style: String, Sendable, CaseIterable {
        /// As the first path segment; supported by every store.
        case path
        /// As the first label of the host name.
        case virtual
    }

    /// The URL that all its locations lie below: the bucket's, with the prefix.
    package let base: LocationURL

    /// - Parameters:
    ///   - address: the store's URL, without a bucket.
    ///   - prefix: the segments that all keys begin with; empty for the whole bucket.
    /// - Throws: `InvalidS3Endpoint` that names the invalid part.
    package init(address: LocationURL, bucket: String, prefix: String = "", style: Style) throws(InvalidS3Endpoint) {
        guard Self.isBucket(bucket) else { throw .bucket }
        guard style == .path || Self.isName(address.host) else { throw .address }
        let path = address.segments.map { "/" + LocationURL.encode(path: $0) }.joined()
        let server =
            switch style {
            case .path: "\(address.scheme)://\(address.authority)\(path)/\(bucket)"
            case .virtual: "\(address.scheme)://\(bucket).\(address.authority)\(path)"
            }
        do {
            base = try LocationURL("\(server)/\(LocationURL.encode(path: prefix))")
        } catch {
            throw .prefix
        }
    }

    /// The value of the Host field.
    var host: String { base.authority }

    /// The path of an object for the wire. Each byte of the key is literal: none is a separator.
    func path(of key: String) -> String {
        (base.segments + [key]).map { "/" + LocationURL.encode(key: $0) }.joined()
    }

    /// The URL of an object for the wire.
    func url(of key: String) -> String { "\(base.scheme)://\(host)\(path(of: key))" }

    private static func isBucket(_ name: String) -> Bool {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isPlain && (1...255).contains(name.utf8.count) && name != "." && name != ".."
    }

    /// Whether a host is a name, which a bucket can be prepended to, and not an IP address.
    private static func isName(_ host: String) -> Bool {
        !host.hasPrefix("[") && !host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || ($0 >= 0x30 && $0 <= 0x39) }
    }
}

/// The invalid part of an endpoint.
package enum InvalidS3Endpoint: Error, Sendable, Hashable, CustomStringConvertible {
    case bucket
    case address
    case prefix

    package var description: String {
        switch self {
        case .bucket: "is not a bucket name: 1 to 255 of a-z, A-Z, 0-9, dot, - and _"
        case .address: "is an address, which the bucket can't be prepended to: write a host name, or style: path"
        case .prefix: "has an empty segment, a dot segment or a backslash; write whole segments, e.g. images/"
        }
    }
}
