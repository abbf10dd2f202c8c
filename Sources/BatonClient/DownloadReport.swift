/// The outcome of a download.
package struct DownloadReport: Sendable {
    package internal(set) var target: DownloadTarget
    /// The origin of each byte.
    package internal(set) var origins: DownloadOrigins
    /// The failures of direct locations on the way, each a short text without a URL.
    package internal(set) var troubles: [String]
    /// Whether the file already had the image's content, so that nothing was fetched.
    package internal(set) var isUnchanged = false
}
