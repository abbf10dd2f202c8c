import BackendKit
import ImageCatalog
import ImageModel
import LocationSelection
import OriginRead

/// The decisions of one full read of a location, as a value: which range to request, how to handle a response, and when to
/// retry.
struct FullReadState: Sendable {
    /// The next action after an attempt has ended.
    enum Step: Sendable, Equatable {
        /// Request the remaining bytes, but not before that time.
        case ask(notBefore: ContinuousClock.Instant)
        /// Discard all bytes and start over, since the object has changed.
        case restart
        /// Every byte was read.
        case done
        /// The read fails for this reason.
        case fail(AttemptFailure)
    }

    /// The number of consecutive attempts without progress after which the read fails.
    static let timeout = 5
    /// The longest wait between two attempts. A read that would have to wait longer fails and is repeated later, so that its
    /// reader can serve other backends.
    static let longestWait: Duration = .seconds(20)
    /// How many times the read starts over because the object has changed.
    private static let restartLimit = 2
    /// The end of a range while the size is unknown. Servers cut the range at the object's end (RFC 9110 section 14.1.2).
    private static let farAway: Int64 = 1 << 60

    private let expectedSize: Int64?
    /// The size limit in bytes of an object without a declared size.
    private let sizeLimit: Int64
    private let maximumRange: Int64?
    /// Whether a digest was declared, which the bytes are compared with at the end.
    private let isDigestDeclared: Bool
    /// The offset of the next byte.
    private(set) var position: Int64
    /// The size of the object in bytes; nil while unknown.
    private(set) var size: Int64?
    /// The object's size if it is not the expected one. If the object is longer by an unknown number of bytes, this is one more
    /// than expected.
    private(set) var otherSize: Int64?
    /// Whether a server stated the size. Otherwise the size is only the offset at which a response ended.
    var isSizeStated: Bool { !isSizeUnstated }
    /// The validator of the object; nil before the first response, and if no single validator holds for all bytes.
    private(set) var validator: Validator?
    private var hasAnswered = false
    /// The offset at which the running attempt's response ends.
    private var pieceEnd: Int64 = 0
    private var asksWithoutRange = false
    private var failures = 0
    /// Whether bytes have arrived since a connection last ended early.
    private var hasAdvanced = false
    private var restarts = 0
    /// Whether responses may have any validator, because the object's validator changed during each read. The declared digest
    /// then decides.
    private var takesAnyValidator = false
    /// Whether the running attempt's response does not state the object's size, which is then known at its end only.
    private var isSizeUnstated = false
    /// The offset below the declared size at which such a response ended; nil if none did.
    private var earlierEnd: Int64?
    private var backoff = Backoff(base: .milliseconds(200), limit: .seconds(10))
    private var random: SplitMix64

    /// - Parameters:
    ///   - expectedSize: the size that the object must have; nil if the read determines it.
    ///   - sizeLimit: the size limit in bytes if `expectedSize` is nil.
    ///   - maximumRange: the most bytes that one attempt requests; nil for no limit.
    ///   - isDigestDeclared: whether the bytes will be compared with a declared digest.
    ///   - progress: the progress of an earlier read; nil to start at the first byte.
    ///   - seed: the seed of the backoff's jitter.
    init(
        expectedSize: Int64?, sizeLimit: Int64 = .max, maximumRange: Int64?, isDigestDeclared: Bool = false,
        progress: ReadProgress?, seed: UInt64
    ) {
        self.expectedSize = expectedSize
        self.sizeLimit = sizeLimit
        self.maximumRange = maximumRange
        self.isDigestDeclared = isDigestDeclared
        position = progress?.position ?? 0
        size = progress?.size
        validator = progress?.validator
        random = SplitMix64(seed: seed)
    }

    /// The range that the next attempt requests; nil requests the whole object, without a Range header.
    var range: ByteRange? {
        // If the server does not state the size, the range extends beyond the declared size to detect a longer object.
        let end = size ?? (isSizeUnstated ? nil : expectedSize) ?? Self.farAway
        guard !asksWithoutRange, let rest = ByteRange(first: position, last: end - 1) else { return nil }
        return maximumRange.map { rest.prefix($0) } ?? rest
    }

    /// Checks the head of a response.
    /// - Returns: the part of the body to read, or the failure.
    mutating func judge(_ head: ObjectHead) -> Result<BodyWindow, AttemptFailure> {
        if let coding = head.coding, expectedSize == nil || !isDigestDeclared {
            return .failure(.undeclared(coding: coding))
        }
        guard let total = head.total ?? size else { return judgeUnstated(head) }
        isSizeUnstated = false
        if let expectedSize, total != expectedSize {
            otherSize = total
            return .failure(.otherSize(total, expected: expectedSize))
        }
        if expectedSize == nil, total > sizeLimit { return .failure(tooLarge) }
        let isOther = validator != head.validator && !takesAnyValidator
        if position > 0 || hasAnswered, size.map({ $0 != total }) ?? false || isOther {
            return .failure(AttemptFailure(.validatorChanged, .location, detail: "the object changed while it was read"))
        }
        let bringsBytes = head.count.map { $0 > 0 || position == total } ?? true
        guard head.first == position && bringsBytes || (head.first == 0 && head.count ?? total == total) else {
            return .failure(
                AttemptFailure(
                    .wrongRange, .location,
                    detail: "the response begins at byte \(head.first), but byte \(position) was requested"))
        }
        size = total
        // Bytes that were read under several validators are pinned by none of them.
        validator = takesAnyValidator ? nil : head.validator
        hasAnswered = true
        // A response that ignores the Range extends to the object's end. A response with fewer bytes than requested ends where
        // it says.
        pieceEnd = head.first < position ? total : min(total, range.map { $0.last + 1 } ?? total)
        if let count = head.count { pieceEnd = min(pieceEnd, head.first + count) }
        return .success(BodyWindow(skip: position - head.first, take: pieceEnd - position))
    }

    /// Checks the head of a response that does not state the object's size. Its body is read to the end.
    private mutating func judgeUnstated(_ head: ObjectHead) -> Result<BodyWindow, AttemptFailure> {
        if position > 0 || hasAnswered, validator != head.validator, !takesAnyValidator {
            return .failure(AttemptFailure(.validatorChanged, .location, detail: "the object changed while it was read"))
        }
        guard head.first == position || head.first == 0 else {
            return .failure(
                AttemptFailure(
                    .wrongRange, .location,
                    detail: "the response begins at byte \(head.first), but byte \(position) was requested"))
        }
        validator = takesAnyValidator ? nil : head.validator
        hasAnswered = true
        isSizeUnstated = true
        pieceEnd = head.count.map { head.first + $0 } ?? Self.farAway
        return .success(BodyWindow(skip: position - head.first, take: pieceEnd - position))
    }

    /// The failure if more bytes have arrived than the object may have; nil otherwise.
    var excess: AttemptFailure? {
        guard position > expectedSize ?? sizeLimit else { return nil }
        return tooLarge
    }

    private var tooLarge: AttemptFailure {
        let detail =
            expectedSize.map { "the object has more than the declared \($0) bytes" }
            ?? "the object has no declared size and more than uploads.max_size, \(sizeLimit) bytes: declare its size"
        return AttemptFailure(.wrongSize, .location, detail: detail)
    }

    /// Handles the end of a response that does not state the object's size. The object ends there as well, unless the response
    /// was cut off.
    private mutating func endedUnstated(at now: ContinuousClock.Instant) -> Step {
        let short = AttemptFailure(.shortBody, .backend, detail: "the response ended early, at byte \(position)")
        guard pieceEnd == Self.farAway else {
            // The response was partial: the next one shows whether the object continues.
            return position == pieceEnd ? .ask(notBefore: now) : failed(short, at: now)
        }
        guard let expectedSize, position < expectedSize else { return atEnd() }
        // The response was cut off, or the object is smaller than declared: in that case it ends at the same byte again.
        guard earlierEnd == position else {
            earlierEnd = position
            return failed(short, at: now)
        }
        return atEnd()
    }

    /// Handles the end of the object at the current offset.
    private mutating func atEnd() -> Step {
        if let expectedSize, position != expectedSize {
            otherSize = position
            return .fail(.otherSize(position, expected: expectedSize))
        }
        size = position
        return .done
    }

    /// Records received bytes.
    mutating func advance(by count: Int64) {
        position += count
        failures = 0
        hasAdvanced = true
        backoff.reset()
    }

    /// Handles an attempt that ended as the server announced.
    mutating func ended(at now: ContinuousClock.Instant) -> Step {
        if isSizeUnstated, hasAnswered { return endedUnstated(at: now) }
        if hasAnswered, position == size { return .done }
        if hasAnswered, position == pieceEnd { return .ask(notBefore: now) }
        return failed(AttemptFailure(.shortBody, .backend, detail: "the response ended early, at byte \(position)"), at: now)
    }

    /// Handles an attempt that was ended to give its connection to a download. It does not count as a failure.
    func yielded(at now: ContinuousClock.Instant) -> Step { .ask(notBefore: now) }

    /// Handles a failed attempt.
    mutating func failed(_ failure: AttemptFailure, at now: ContinuousClock.Instant) -> Step {
        if let excess {
            // The recorded size must not depend on how many of the excess bytes happened to arrive.
            otherSize = expectedSize.map { $0 + 1 }
            return .fail(excess)
        }
        // 416: the object ends at the requested offset.
        if isSizeUnstated, failure.reason == .wrongSize, position > 0 { return atEnd() }
        if failure.reason == .validatorChanged, restarts < Self.restartLimit {
            restarts += 1
            (position, size, validator, hasAnswered) = (0, nil, nil, false)
            (isSizeUnstated, earlierEnd) = (false, nil)
            return .restart
        }
        if failure.reason == .validatorChanged, isDigestDeclared, !takesAnyValidator {
            takesAnyValidator = true
            return .ask(notBefore: now)
        }
        // An empty object satisfies no range (416). A request without a Range shows whether the object is empty.
        if failure.reason == .wrongSize, expectedSize == nil, position == 0, !hasAnswered, !asksWithoutRange {
            asksWithoutRange = true
            return .ask(notBefore: now)
        }
        // After a connection that broke, the next attempt follows at once if any bytes had arrived.
        if hasAdvanced, failure.isConnectionEnd {
            hasAdvanced = false
            return .ask(notBefore: now)
        }
        failures += 1
        let wait = max(failure.retryAfter ?? .zero, backoff.next(using: &random))
        guard failure.isWorthRevisiting, failures < Self.timeout, wait <= Self.longestWait else { return .fail(failure) }
        return .ask(notBefore: now + wait)
    }
}

extension AttemptFailure {
    /// The bytes are labelled with a content coding, and no declared size and digest confirm them as they are.
    static func undeclared(coding: String) -> AttemptFailure {
        AttemptFailure(
            .encoded, .location,
            detail:
                "the response is encoded (Content-Encoding: \(coding)): declare the size and a digest of the encoded bytes")
    }
}
