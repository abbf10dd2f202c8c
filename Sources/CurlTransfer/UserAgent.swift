/// What Baton calls itself, to the servers that it asks and to its own users.
package enum UserAgent {
    /// The version of Baton.
    package static let version = "0.1.0"
    /// The header field of each request (RFC 9110 section 10.1.5).
    package static let field = (name: "User-Agent", value: "baton/\(version)")
}
