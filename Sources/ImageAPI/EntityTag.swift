/// Comparisons of entity tags in conditional requests (RFC 9110 sections 8.8.3.2, 13.1).
enum EntityTag {
    /// Whether an `If-None-Match` field names `tag`: weak comparison, a list or `*`.
    static func matches(_ field: String, _ tag: String) -> Bool {
        field.split(separator: ",").contains { item in
            var text = item.drop { $0 == " " || $0 == "\t" }
            while text.last == " " || text.last == "\t" { text = text.dropLast() }
            if text == "*" { return true }
            return (text.hasPrefix("W/") ? text.dropFirst(2) : text) == tag
        }
    }

    /// Whether an `If-Range` field lets a range of the representation with `tag` be sent: strong comparison; dates never do,
    /// since a representation has none.
    static func permitsRange(_ field: String?, _ tag: String) -> Bool {
        guard let field else { return true }
        return field == tag
    }
}
