import BackendKit
import CurlTransfer

/// Which redirects of a backend are followed. A value: it says where to, and asks nobody.
struct RedirectRule: Sendable {
    /// A place that an answer led to.
    struct Target: Sendable, Equatable {
        /// The place, as it was held against the list.
        let url: LocationURL
        /// The URL as it goes over the wire: its path is spelled as the answer did, because a store may have signed that spelling.
        let text: String
    }

    /// The most that are followed for one read.
    static let limit = 5

    /// The places that redirects may lead to: all that lies below one of these, by whole segments.
    let allowed: [LocationURL]

    /// Where to go on, after an answer of the place `current`; nil when the answer is no redirect, or none that is followed.
    /// - Parameter hops: how many were followed before.
    func target(of head: ResponseHead, from current: LocationURL, hops: Int) -> Target? {
        guard [301, 302, 303, 307, 308].contains(head.status), hops < Self.limit, let location = head["location"],
            let target = Self.resolve(location, against: current),
            allowed.contains(where: { target.url.path(below: $0) != nil })
        else { return nil }
        return target
    }

    /// The place that a reference names (RFC 3986 section 5.2); nil for what could mean another place to another reader.
    static func resolve(_ reference: String, against current: LocationURL) -> Target? {
        let named = reference.prefix { $0 != "#" }  // what stands behind is for browsers
        let place = named.prefix { $0 != "?" }
        let query = named[place.endIndex...]  // the question mark included; a signature often
        guard query.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let origin = "\(current.scheme)://\(current.authority)"
        let text: String
        if place.contains("://") {
            text = String(place)
        } else if place.hasPrefix("//") {
            text = "\(current.scheme):\(place)"
        } else if place.hasPrefix("/") {
            text = origin + place
        } else if place.isEmpty {
            text = current.description
        } else if place.prefix(while: { $0 != "/" }).contains(":") {
            return nil  // a scheme of another kind, e.g. data:
        } else {
            let folder = current.segments.dropLast().map { "/" + LocationURL.encode(path: $0) }.joined()
            text = "\(origin)\(folder)/\(place)"
        }
        guard let url = try? LocationURL(text), url.scheme != "file" else { return nil }
        let path = text[(text.firstRange(of: "://")?.upperBound ?? text.startIndex)...].drop { $0 != "/" }
        return Target(url: url, text: "\(url.scheme)://\(url.authority)" + escaped(path) + query)
    }

    /// The same spelling, with what has no place in a URL escaped (RFC 3986 section 2).
    private static func escaped(_ text: Substring) -> String {
        text.utf8.reduce(into: "") { escaped, byte in
            let isLegal =
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._~:/@!$&'()*+,;=%[]".utf8.contains(byte)
                }
            let character = String(UnicodeScalar(byte))
            escaped += isLegal ? character : LocationURL.encode(path: character)
        }
    }
}
