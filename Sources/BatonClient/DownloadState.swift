import BackendKit
import ImageModel
import RelayEngine

/// How a download went so far, over all its tries.
struct DownloadState: Sendable {
    /// Whether locations are still read without the server.
    private(set) var isDirect: Bool
    private(set) var origins = DownloadOrigins()
    private(set) var troubles: [String] = []

    init(isDirect: Bool) { self.isDirect = isDirect }

    /// The partial file was opened, with so many bytes in it.
    mutating func opened(_ size: Int64) {
        origins.cut(to: size)
        origins.extend(to: size, from: .kept)
    }

    /// The server streamed.
    /// - Parameter isAgain: whether what was there has been dropped before.
    mutating func streamed(upTo size: Int64, isAgain: Bool) {
        if isAgain { origins.cut(to: 0) }
        origins.extend(to: size, from: .stream)
    }

    /// A relay read from locations. Of what it took in at last, not everything has reached the file.
    mutating func relayed(_ summary: RelaySummary, upTo size: Int64) {
        for part in summary.parts {
            origins.extend(to: min(part.last + 1, size), from: .direct(backend: part.backend.name))
        }
        for failure in summary.failures { note("\(failure.backend) \(failure.failure)") }
    }

    /// From now on everything comes from the server.
    mutating func leaveDirect(_ trouble: String) {
        isDirect = false
        note(trouble)
    }

    /// The same trouble at every visit is one.
    private mutating func note(_ trouble: String) {
        if !troubles.contains(trouble) { troubles.append(trouble) }
    }
}
