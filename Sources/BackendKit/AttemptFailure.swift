package import CurlTransfer
import Glibc

/// The party at fault for a failure. It decides which component is suspected and whether a retry makes sense.
package enum FailureClass: String, Sendable, Hashable, CaseIterable {
    /// Baton itself: disk, memory, descriptors, configuration.
    case local
    /// The storage system: connecting, name resolution, TLS, 5xx, resets, stalls.
    case backend
    /// This object at this location: missing, of another size, of other content.
    case location
    /// The credentials that Baton sent.
    case credentials
    /// The storage system is overloaded and asks the client to wait.
    case throttled
}

/// The reason why an attempt delivered fewer bytes than requested.
package struct AttemptFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The reason as a label for metrics, logs and the API. It holds no URL, so that any user may see it.
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        /// The host name has no address.
        case resolve
        /// The connection to the server, its proxy or its socket file failed, or was not established in time.
        case connect
        /// The TLS handshake failed, the certificate is not trusted, or a certificate file can't be used.
        case tls
        /// The connection ended or broke before the response was complete.
        case reset
        /// Nothing arrived in time: no head, no byte of the body, or no renewed credentials.
        case stall
        /// The response is not valid HTTP, the request could not be made, or libcurl failed for any other reason.
        case protocolViolation = "protocol"
        /// The server answered with a 5xx status.
        case serverError = "server-error"
        /// The body ended before the announced length.
        case shortBody = "short-body"
        /// The object or its bucket does not exist (404, 410), or the backend is not configured.
        case missing
        /// The object's size differs from the expected one, or the object ends before the requested range (416).
        case wrongSize = "wrong-size"
        /// The server does not state the object's size.
        case sizeUnstated = "size-unstated"
        /// The response covers other bytes than the requested range, or it has no valid Content-Range.
        case wrongRange = "wrong-range"
        /// The body has a content coding other than gzip, or it is labelled gzip while no size and digest are declared.
        case encoded
        /// The server redirects to a URL that the configuration does not allow.
        case redirect
        /// The server answered a Range request with the whole object, and the bytes before the range are too many to discard.
        case noRanges = "no-ranges"
        /// The validator differs from the earlier one: the object was replaced or modified.
        case validatorChanged = "validator-changed"
        /// The bytes of a chunk or of the whole image do not match their digest, or the store states another one than declared.
        case wrongDigest = "wrong-digest"
        /// The server answered with a status that no other reason covers.
        case unexpectedStatus = "unexpected-status"
        /// The path does not name a regular file.
        case notAFile = "not-a-file"
        /// The path leads out of the backend's root directory, or through too many symbolic links.
        case outsideRoot = "outside-root"
        /// The file can't be opened or read, or the store can't deliver the object, for example because it is archived.
        case unreadable
        /// Reading the file failed with an I/O error.
        case diskError = "disk-error"
        /// The host name resolved to an address that `allow_addresses` does not permit.
        case refusedAddress = "refused-address"
        /// The server does not accept the credentials (401).
        case unauthorized
        /// The server knows the caller and refuses the request (403).
        case denied
        /// The server asks for fewer requests (429, or 503 with Retry-After).
        case throttled
        /// All of the backend's connections or workers were in use for too long.
        case busy
        /// Baton ran out of a resource of its own, such as memory or descriptors.
        case exhausted
        /// The location was taken out of service while it was being read.
        case withdrawn
        /// The download left the location because another one is clearly faster.
        case slow
    }

    package let reason: Reason
    package let failureClass: FailureClass
    /// The delay that the server asked for with Retry-After.
    package let retryAfter: Duration?
    /// Details for the log, without URLs and secrets.
    package let detail: String

    package init(_ reason: Reason, _ failureClass: FailureClass, retryAfter: Duration? = nil, detail: String) {
        self.reason = reason
        self.failureClass = failureClass
        self.retryAfter = retryAfter
        self.detail = detail
    }

    /// Whether a retry at the same location may succeed within one relay.
    package var isWorthRevisiting: Bool {
        switch failureClass {
        case .backend, .throttled, .local: true
        case .location, .credentials: false
        }
    }

    /// Whether newer credentials may help. They do not help after 403: the server knows the caller and refuses it.
    package var needsCredentials: Bool { reason == .unauthorized }

    /// Whether the connection ended early. That is not the server's fault if Baton had stopped reading for a while.
    package var isConnectionEnd: Bool { reason == .reset || reason == .shortBody }

    /// The reason and the details, for example `reset: the connection broke`.
    package var description: String { "\(reason.rawValue): \(detail)" }
}

extension AttemptFailure {
    /// The object's size differs from the declared one.
    package static func otherSize(_ total: Int64, expected: Int64) -> AttemptFailure {
        AttemptFailure(.wrongSize, .location, detail: "the object has \(total) bytes, but \(expected) are declared")
    }
}

extension AttemptFailure {
    /// The driver-independent classification of a transfer error.
    package static func classify(_ error: TransferError) -> AttemptFailure {
        switch error.kind {
        case .resolve: AttemptFailure(.resolve, .backend, detail: error.message)
        case .connect, .connectTimeout: AttemptFailure(.connect, .backend, detail: error.message)
        // All locations of a backend share its host name, and only the operator can correct its address.
        case .refusedAddress: AttemptFailure(.refusedAddress, .backend, detail: error.message)
        case .noAnswer: AttemptFailure(.stall, .backend, detail: error.message)
        case .tls, .untrusted: AttemptFailure(.tls, .backend, detail: error.message)
        case .connectionLost: AttemptFailure(.reset, .backend, detail: error.message)
        case .protocolViolation, .other: AttemptFailure(.protocolViolation, .backend, detail: error.message)
        case .rejected: AttemptFailure(.protocolViolation, .location, detail: error.message)
        case .local: AttemptFailure(.exhausted, .local, detail: error.message)
        case .notRegularFile: AttemptFailure(.notAFile, .location, detail: error.message)
        case .fileChanged: AttemptFailure(.validatorChanged, .location, detail: error.message)
        case .file(let number): classify(errno: number, detail: error.message)
        }
    }

    private static func classify(errno number: Int32, detail: String) -> AttemptFailure {
        switch number {
        case ENOENT, ENOTDIR: AttemptFailure(.missing, .location, detail: detail)
        case EXDEV, ELOOP: AttemptFailure(.outsideRoot, .location, detail: detail)
        case EACCES, EPERM: AttemptFailure(.unreadable, .location, detail: detail)
        case EISDIR, ENXIO: AttemptFailure(.notAFile, .location, detail: detail)
        case EIO: AttemptFailure(.diskError, .backend, detail: detail)
        case EMFILE, ENFILE, ENOMEM: AttemptFailure(.exhausted, .local, detail: detail)
        default: AttemptFailure(.unreadable, .backend, detail: detail)
        }
    }
}

/// A response with an error instead of the object's bytes. Its body is read because it may state the reason.
package struct OriginRefusal: Sendable {
    /// The failure that the head alone implies.
    package let failure: AttemptFailure
    package let head: ResponseHead
    /// The time at which the head arrived.
    package let began: ContinuousClock.Instant
    /// The body so far, up to the limit.
    package private(set) var body: [UInt8] = []

    private let limit: Int

    /// Creates a refusal whose body has not been read yet.
    /// - Parameter limit: the most bytes of the body to keep; at least 1.
    package init(_ failure: AttemptFailure, head: ResponseHead, limit: Int, at now: ContinuousClock.Instant = .now) {
        began = now
        self.failure = failure
        self.head = head
        self.limit = limit
    }

    /// Whether enough of the body has been read.
    package var isFull: Bool { body.count >= limit }

    /// Appends bytes up to the limit.
    package mutating func take(_ bytes: some Collection<UInt8>) { body.append(contentsOf: bytes.prefix(limit - body.count)) }
}

extension Driver {
    /// The refusal that the head of a response begins; nil if its body is not worth reading.
    /// - Parameter failure: the failure that the head alone implies.
    package func refusal(
        _ failure: AttemptFailure, _ head: ResponseHead, at now: ContinuousClock.Instant = .now
    ) -> OriginRefusal? {
        guard refusalLimit > 0, head.status >= 300, head["content-length"] != "0" else { return nil }
        return OriginRefusal(failure, head: head, limit: refusalLimit, at: now)
    }
}

// Failures of attempts that waited longer than a timeout.
extension AttemptFailure {
    /// All of the backend's connections were in use for the whole wait.
    package static func busy(after wait: Duration) -> AttemptFailure {
        AttemptFailure(.busy, .throttled, detail: "all of the backend's connections were in use for \(wait)")
    }

    /// All of the backend's workers were busy for the whole wait, for example because a mount hangs. The number of workers is a
    /// limit of Baton, like that of connections, so the failure does not count against the backend.
    package static func noWorker(for wait: Duration) -> AttemptFailure {
        AttemptFailure(.busy, .throttled, detail: "no worker of the backend was free for \(wait)")
    }

    /// New credentials did not arrive in time.
    package static func noCredentials(within timeout: Duration) -> AttemptFailure {
        AttemptFailure(.stall, .backend, detail: "no new credentials arrived within \(timeout)")
    }

    /// The location sent nothing for too long.
    /// - Parameter what: what did not arrive, for example `no byte`.
    package static func stall(_ what: String, for timeout: Duration) -> AttemptFailure {
        AttemptFailure(.stall, .backend, detail: "\(what) for \(timeout)")
    }
}
