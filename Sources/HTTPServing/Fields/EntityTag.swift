/// Comparisons of entity tags in conditional requests (RFC 9110 sections 8.8.3.2, 13.1).
package enum EntityTag {
    /// Whether an `If-None-Match` field names `tag`: weak comparison, a list or `*`.
    package static func matches(_ field: String, _ tag: String) -> Bool {
        items(of: field).contains { $0 == "*" || ($0.hasPrefix("W/") ? $0.dropFirst(2) : $0) == tag }
    }

    /// Whether an `If-Match` field names `tag`: strong comparison, a list or `*`.
    package static func matchesStrongly(_ field: String, _ tag: String) -> Bool {
        items(of: field).contains { $0 == "*" || $0 == tag }
    }

    /// None of our tags has a comma.
    private static func items(of field: String) -> [Substring] {
        field.split(separator: ",").map { item in
            var text = item.drop { $0 == " " || $0 == "\t" }
            while text.last == " " || text.last == "\t" { text = text.dropLast() }
            return text
        }
    }

    /// Whether an `If-Range` field lets a range of the representation with `tag` be sent: strong comparison; dates never do,
    /// since a representation has none.
    package static func permitsRange(_ field: String?, _ tag: String) -> Bool {
        guard let field else { return true }
        return field == tag
    }
}
