/// What a download came to.
public struct DownloadReport: Sendable {
    /// What was downloaded.
    public internal(set) var target: DownloadTarget
    /// Which bytes came from where.
    public internal(set) var origins: DownloadOrigins
    /// What went wrong on the way with direct locations, each a short text without a URL.
    public internal(set) var troubles: [String]
    /// Whether the file was the image already, and nothing was fetched.
    public internal(set) var isUnchanged = false
}
