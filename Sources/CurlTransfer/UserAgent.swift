/// The name and the version that Baton sends to servers and shows to users.
package enum UserAgent {
    /// The version of Baton, as `baton --version` and the metric `baton_build_info` show it.
    package static let version = "0.1.0"
    /// The header field of each request (RFC 9110 section 10.1.5).
    package static let field = (name: "User-Agent", value: "baton/\(version)")
}
