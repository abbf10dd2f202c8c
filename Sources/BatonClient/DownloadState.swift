import BackendKit
import ImageModel
import RelayEngine

/// The progress of a download over all its tries.
struct DownloadState: Sendable {
    /// Whether locations are still read directly.
    private(set) var isDirect: Bool
    private(set) var origins = DownloadOrigins()
    private(set) var troubles: [String] = []

    init(isDirect: Bool) { self.isDirect = isDirect }

    /// Records that the partial file was opened with this many bytes.
    mutating func opened(_ size: Int64) {
        origins.cut(to: size)
        origins.extend(to: size, from: .kept)
    }

    /// Records bytes streamed by the server.
    /// - Parameter isAgain: whether the existing bytes were dropped first.
    mutating func streamed(upTo size: Int64, isAgain: Bool) {
        if isAgain { origins.cut(to: 0) }
        origins.extend(to: size, from: .stream)
    }

    /// Records bytes that a relay read from locations. The last bytes it received may not have reached the file.
    mutating func relayed(_ summary: RelaySummary, upTo size: Int64) {
        for part in summary.parts {
            origins.extend(to: min(part.last + 1, size), from: .direct(backend: part.backend.name))
        }
        for failure in summary.failures { note("\(failure.backend) \(failure.failure)") }
    }

    /// Switches to the server for all remaining bytes.
    mutating func leaveDirect(_ trouble: String) {
        isDirect = false
        note(trouble)
    }

    /// Records a problem once, however often it occurs.
    private mutating func note(_ trouble: String) {
        if !troubles.contains(trouble) { troubles.append(trouble) }
    }
}
