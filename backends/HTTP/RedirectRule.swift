import BackendKit
import CurlTransfer
import ImageModel

/// The redirects of a backend that are followed. A value: it computes the target and sends nothing.
struct RedirectRule: Sendable {
    /// The target of a redirect.
    struct Target: Sendable, Equatable {
        /// The parsed URL, which is compared with the allowed prefixes.
        let url: LocationURL
        /// The URL for the wire. Its path is spelled as in the response, because a store may have signed that spelling.
        let text: String
    }

    /// The most redirects that are followed for one read.
    static let limit = 5

    /// The prefixes that redirects may lead to, compared by whole path segments.
    let allowed: [LocationURL]

    /// The target of a response from `current`; nil if the response is not a redirect, or is one that is not followed.
    /// - Parameter hops: the number of redirects followed before.
    func target(of head: ResponseHead, from current: LocationURL, hops: Int) -> Target? {
        guard [301, 302, 303, 307, 308].contains(head.status), hops < Self.limit, let location = head["location"],
            let target = Self.resolve(location, against: current),
            allowed.contains(where: { target.url.path(below: $0) != nil })
        else { return nil }
        return target
    }

    /// Resolves a URI reference (RFC 3986 section 5.2); nil for references that another parser could read differently.
    static func resolve(_ reference: String, against current: LocationURL) -> Target? {
        let named = reference.prefix { $0 != "#" }  // a fragment is not sent
        let beforeQuery = named.prefix { $0 != "?" }
        let query = named[beforeQuery.endIndex...]  // with its question mark; often a signature
        guard query.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let origin = "\(current.scheme)://\(current.authority)"
        let text: String
        if beforeQuery.contains("://") {
            text = String(beforeQuery)
        } else if beforeQuery.hasPrefix("//") {
            text = "\(current.scheme):\(beforeQuery)"
        } else if beforeQuery.hasPrefix("/") {
            text = origin + beforeQuery
        } else if beforeQuery.isEmpty {
            text = current.description
        } else if beforeQuery.prefix(while: { $0 != "/" }).contains(":") {
            return nil  // another scheme, such as data:
        } else {
            let folder = current.segments.dropLast().map { "/" + LocationURL.encode(path: $0) }.joined()
            text = "\(origin)\(folder)/\(beforeQuery)"
        }
        guard let url = try? LocationURL(text), url.scheme != "file" else { return nil }
        let path = text[(text.firstRange(of: "://")?.upperBound ?? text.startIndex)...].drop { $0 != "/" }
        return Target(url: url, text: "\(url.scheme)://\(url.authority)" + escaped(path) + query)
    }

    /// Escapes the characters that are not allowed in a URL (RFC 3986 section 2), and keeps the spelling otherwise.
    private static func escaped(_ text: Substring) -> String {
        PercentEncoding.encode(text, keeping: "/:@!$&'()*+,;=%[]")
    }
}
