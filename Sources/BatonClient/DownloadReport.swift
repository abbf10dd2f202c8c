/// What a download came to.
package struct DownloadReport: Sendable {
    /// What was downloaded.
    package internal(set) var target: DownloadTarget
    /// Which bytes came from where.
    package internal(set) var origins: DownloadOrigins
    /// What went wrong on the way with direct locations, each a short text without a URL.
    package internal(set) var troubles: [String]
    /// Whether the file was the image already, and nothing was fetched.
    package internal(set) var isUnchanged = false
}
