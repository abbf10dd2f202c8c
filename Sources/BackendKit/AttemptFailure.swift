/// Whose trouble a failure is; decides what is blamed and whether trying again makes sense.
public enum FailureClass: String, Sendable, Hashable, CaseIterable {
    /// Ours: disk, memory, descriptors, configuration.
    case local
    /// The storage system: connecting, names, TLS, 5xx, resets, stalls.
    case backend
    /// This object at this place: missing, another size, another content.
    case location
    /// What we showed to be let in.
    case credentials
    /// The storage system asks for patience.
    case throttled
}

/// Why an attempt brought less than it was asked for.
public struct AttemptFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened, in a form fit for a metric's label and for users who may not see URLs.
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        case resolve, connect, tls, reset, stall, protocolViolation = "protocol", serverError = "server-error"
        case shortBody = "short-body", missing, wrongSize = "wrong-size", sizeUnstated = "size-unstated", wrongRange =
            "wrong-range", encoded, redirect
        case noRanges = "no-ranges", validatorChanged = "validator-changed", wrongDigest = "wrong-digest"
        case unexpectedStatus = "unexpected-status", notAFile = "not-a-file", outsideRoot = "outside-root", unreadable
        case diskError = "disk-error"
        case refusedAddress = "refused-address", unauthorized, denied, throttled, busy, exhausted, inDoubt = "in-doubt",
            withdrawn, slow
    }

    /// What happened.
    public let reason: Reason
    /// Whose trouble it is.
    public let failureClass: FailureClass
    /// How long the server asked us to wait.
    public let retryAfter: Duration?
    /// The details for the log: no URL, no secret.
    public let detail: String

    /// A failure with its details.
    public init(_ reason: Reason, _ failureClass: FailureClass, retryAfter: Duration? = nil, detail: String) {
        self.reason = reason
        self.failureClass = failureClass
        self.retryAfter = retryAfter
        self.detail = detail
    }

    /// Whether the same location may do better when asked again within one relay.
    public var isWorthRevisiting: Bool {
        switch failureClass {
        case .backend, .throttled, .local: true
        case .location, .credentials: false
        }
    }

    /// Whether newer credentials may help: a server that knows the caller and refuses (403) will not change its mind.
    public var asksForCredentials: Bool { reason == .unauthorized }

    /// Whether it is the end of a connection, which is nobody's fault after we had stopped reading for a while.
    public var isConnectionEnd: Bool { reason == .reset || reason == .shortBody }

    /// `reset: the connection broke`.
    public var description: String { "\(reason.rawValue): \(detail)" }
}
