package import BackendKit
package import CurlTransfer
package import FaultyOrigin
import ImageModel
import Waiting

/// A driver for tests that sends a `TokenDoor`'s token to a web server.
package struct TokenDriver: Driver {
    private let door: TokenDoor
    private let url: String
    private let maximumRange: Int64?

    /// - Parameters:
    ///   - url: the URL of its only object.
    ///   - maximumRange: the limit of one request's range, in bytes; nil for no limit.
    package init(_ door: TokenDoor, url: String, maximumRange: Int64? = nil) {
        self.door = door
        self.url = url
        self.maximumRange = maximumRange
    }

    /// Ranges.
    package var capabilities: Capabilities {
        Capabilities(maximumRange: maximumRange)
    }

    /// The door.
    package var credentials: (any RenewableCredentials)? { door }

    /// A GET with the current token.
    package func transferRequest(for read: ReadRequest) -> TransferRequest {
        TransferRequest(
            source: .url(url), range: read.range.map { $0.first...$0.last }, headers: [("X-Auth-Token", door.token)],
            isFresh: read.isFresh)
    }

    /// As in every driver over HTTP.
    package func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        RangedAnswer(head).object(for: read)
    }
}

extension ConnectionLimit {
    /// Asks for a connection and waits for it.
    package func acquire(for queueKey: QueueKey) async throws -> ConnectionPermit {
        let (admissions, admission) = AsyncStream.makeStream(of: Void.self)
        let (permit, isAdmitted) = enter(queueKey) { admission.yield() }
        if !isAdmitted { try await first(of: admissions, "a connection") }
        return permit
    }
}

extension FaultyOrigin {
    /// An origin that answers 401 to requests without the door's current token.
    package convenience init(
        _ content: PatternedContent, behind door: TokenDoor,
        behaviour: @escaping @Sendable (OriginRequest) -> Behaviour = { _ in .sound }
    ) throws {
        try self.init(content) { door.admits($0["x-auth-token"]) ? behaviour($0) : .status(401) }
    }
}
