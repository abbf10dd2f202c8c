/// Whose trouble a failure is; decides what is suspected and whether trying again makes sense.
package enum FailureClass: String, Sendable, Hashable, CaseIterable {
    /// Ours: disk, memory, descriptors, configuration.
    case local
    /// The storage system: connecting, names, TLS, 5xx, resets, stalls.
    case backend
    /// This object at this place: missing, another size, another content.
    case location
    /// What we showed to be let in.
    case credentials
    /// The storage system asks for timeout.
    case throttled
}

/// Why an attempt brought less than it was asked for.
package struct AttemptFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened, in a form fit for a metric's label and for users who may not see URLs.
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        case resolve, connect, tls, reset, stall, protocolViolation = "protocol", serverError = "server-error"
        case shortBody = "short-body", missing, wrongSize = "wrong-size", sizeUnstated = "size-unstated", wrongRange =
            "wrong-range", encoded, redirect
        case noRanges = "no-ranges", validatorChanged = "validator-changed", wrongDigest = "wrong-digest"
        case unexpectedStatus = "unexpected-status", notAFile = "not-a-file", outsideRoot = "outside-root", unreadable
        case diskError = "disk-error"
        case refusedAddress = "refused-address", unauthorized, denied, throttled, busy, exhausted, onIntegrityHold =
            "integrity-hold",
            withdrawn, slow
    }

    /// What happened.
    package let reason: Reason
    /// Whose trouble it is.
    package let failureClass: FailureClass
    /// How long the server asked us to wait.
    package let retryAfter: Duration?
    /// The details for the log: no URL, no secret.
    package let detail: String

    /// A failure with its details.
    package init(_ reason: Reason, _ failureClass: FailureClass, retryAfter: Duration? = nil, detail: String) {
        self.reason = reason
        self.failureClass = failureClass
        self.retryAfter = retryAfter
        self.detail = detail
    }

    /// Whether the same location may do better when asked again within one relay.
    package var isWorthRevisiting: Bool {
        switch failureClass {
        case .backend, .throttled, .local: true
        case .location, .credentials: false
        }
    }

    /// Whether newer credentials may help: a server that knows the caller and refuses (403) will not change its mind.
    package var asksForCredentials: Bool { reason == .unauthorized }

    /// Whether it is the end of a connection, which is nobody's fault after we had stopped reading for a while.
    package var isConnectionEnd: Bool { reason == .reset || reason == .shortBody }

    /// `reset: the connection broke`.
    package var description: String { "\(reason.rawValue): \(detail)" }
}
