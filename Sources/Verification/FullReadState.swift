import BackendKit
import ImageCatalog
import ImageModel
import LocationSelection
import OriginRead

/// The decisions of one full read of a location, as a value: what to request, how to treat a response, when to try again.
struct FullReadState: Sendable {
    /// The next action after an attempt has ended.
    enum Step: Sendable, Equatable {
        /// Request the missing bytes, not before that time.
        case ask(notBefore: ContinuousClock.Instant)
        /// Drop all bytes and begin at the first one: the object has changed.
        case restart
        /// Every byte was read.
        case done
        /// Give the read up.
        case fail(AttemptFailure)
    }

    /// The number of attempts in a row that may bring no byte.
    static let timeout = 5
    /// The longest wait that a server may ask for within one read: reads of other backends wait for this reader.
    static let longestWait: Duration = .seconds(20)
    /// How often the read begins again because the object changed.
    private static let restartLimit = 2
    /// The end of a range while the size is unknown. Servers cut the range at the object's end (RFC 9110 section 14.1.2).
    private static let farAway: Int64 = 1 << 60

    /// What is known from the responses of this object.
    private enum Answer: Sendable {
        /// None was accepted yet. Goes to: stated, unstated.
        case none
        /// A response stated the object's size, and its body ends at this offset. Goes to: stated, unstated, none.
        case stated(end: Int64)
        /// A response did not state the object's size. Its body ends at this offset, or if that is nil, at the object's end.
        /// Goes to: stated, unstated, none.
        case unstated(end: Int64?)
    }

    /// How the read treats an object that changes.
    private enum Changes: Sendable {
        /// The read begins again, up to `restartLimit` times. Goes to: counted, tolerated.
        case counted(Int)
        /// The object may have any validator, since its digest decides. Final.
        case tolerated
    }

    private let expectedSize: Int64?
    /// The size limit in bytes of an object without a declared size.
    private let sizeLimit: Int64
    private let maximumRange: Int64?
    /// Whether a digest was declared, with which the bytes are compared in the end.
    private let isDigestDeclared: Bool
    /// The offset of the next byte.
    private(set) var position: Int64
    /// The size of the object in bytes; nil while unknown.
    private(set) var size: Int64?
    /// The object's size if it is not the expected one. If the object is longer by an unknown number of bytes, this is one more
    /// than expected.
    private(set) var otherSize: Int64?
    /// Whether a server stated the object's size; else the size is known only from where a response ended.
    var isSizeStated: Bool {
        if case .unstated = answer { false } else { true }
    }
    /// The object's validator, once known.
    private(set) var validator: Validator?
    /// The last accepted response.
    private var answer = Answer.none
    private var changes = Changes.counted(0)
    private var asksWithoutRange = false
    private var failures = 0
    /// Whether bytes have arrived since a connection last ended early.
    private var hasAdvanced = false
    /// Where a response without a stated size ended before the declared size.
    private var earlierEnd: Int64?
    private var backoff = Backoff(base: .milliseconds(200), limit: .seconds(10))
    private var random: SplitMix64

    /// - Parameters:
    ///   - expectedSize: the size that the object must have; nil if it is not known.
    ///   - sizeLimit: the largest size if it is not known.
    ///   - maximumRange: the most bytes of one attempt.
    ///   - isDigestDeclared: whether the bytes will be compared with a declared digest.
    ///   - progress: the progress of an earlier read.
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

    /// The range of the next attempt; nil for a request without a Range.
    var range: ByteRange? {
        // Beyond the declared end, too, if no server has stated that the object ends there.
        let end = size ?? (isSizeStated ? expectedSize : nil) ?? Self.farAway
        guard !asksWithoutRange, let rest = ByteRange(first: position, last: end - 1) else { return nil }
        return maximumRange.map { rest.prefix($0) } ?? rest
    }

    private var hasAnswered: Bool {
        if case .none = answer { false } else { true }
    }

    private var takesAnyValidator: Bool {
        if case .tolerated = changes { true } else { false }
    }

    /// Checks the head of a response against the size, the validator and the position of the read.
    /// - Returns: which bytes of the body to keep.
    mutating func acceptHead(_ head: ObjectHead) -> Result<BodyWindow, AttemptFailure> {
        if let coding = head.coding, expectedSize == nil || !isDigestDeclared {
            return .failure(.undeclared(coding: coding))
        }
        guard let total = head.total ?? size else { return acceptHeadOfUnstatedSize(head) }
        if case .unstated = answer { answer = .stated(end: position) }
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
        // Bytes read under several validators are pinned by none of them.
        validator = takesAnyValidator ? nil : head.validator
        // A response without ranges reaches to the object's end. A response shorter than the request ends where it states.
        var end = head.first < position ? total : min(total, range.map { $0.last + 1 } ?? total)
        if let count = head.count { end = min(end, head.first + count) }
        answer = .stated(end: end)
        return .success(BodyWindow(skip: position - head.first, take: end - position))
    }

    /// Checks the head of a response that does not state the object's size: the body is read to its end.
    private mutating func acceptHeadOfUnstatedSize(_ head: ObjectHead) -> Result<BodyWindow, AttemptFailure> {
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
        let end = head.count.map { head.first + $0 }
        answer = .unstated(end: end)
        return .success(BodyWindow(skip: position - head.first, take: (end ?? Self.farAway) - position))
    }

    /// The failure if more bytes came than the object may have.
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

    /// A response without a stated size ended, and with it the object, if nothing is missing.
    private mutating func endedUnstated(at end: Int64?, _ now: ContinuousClock.Instant) -> Step {
        let short = AttemptFailure(.shortBody, .backend, detail: "the answer ended early, at byte \(position)")
        if let end {
            // The response after this part shows whether the object goes on.
            return position == end ? .ask(notBefore: now) : failed(short, at: now)
        }
        guard let expectedSize, position < expectedSize else { return atEnd() }
        // The body was cut off, or the object is smaller: then the next response ends at the same offset.
        guard earlierEnd == position else {
            earlierEnd = position
            return failed(short, at: now)
        }
        return atEnd()
    }

    /// Decides what follows if the object ends at the current offset.
    private mutating func atEnd() -> Step {
        if let expectedSize, position != expectedSize {
            otherSize = position
            return .fail(.otherSize(position, expected: expectedSize))
        }
        size = position
        return .done
    }

    /// Counts received bytes of the object.
    mutating func advance(by count: Int64) {
        position += count
        failures = 0
        hasAdvanced = true
        backoff.reset()
    }

    /// Decides what follows an attempt that ended as the server announced.
    mutating func ended(at now: ContinuousClock.Instant) -> Step {
        switch answer {
        case .unstated(let end): return endedUnstated(at: end, now)
        case .stated where position == size: return .done
        case .stated(let end) where position == end: return .ask(notBefore: now)
        case .stated, .none: break
        }
        return failed(AttemptFailure(.shortBody, .backend, detail: "the answer ended early, at byte \(position)"), at: now)
    }

    /// The attempt ended so that a download could have its connection, which is not the location's fault.
    func yielded(at now: ContinuousClock.Instant) -> Step { .ask(notBefore: now) }

    /// Decides what follows a failed attempt.
    mutating func failed(_ failure: AttemptFailure, at now: ContinuousClock.Instant) -> Step {
        if let excess {
            // The true size is not known, and the reported one must not depend on how the bytes happened to arrive.
            otherSize = expectedSize.map { $0 + 1 }
            return .fail(excess)
        }
        // There are no bytes to request behind the last one (416).
        if case .unstated = answer, failure.reason == .wrongSize, position > 0 { return atEnd() }
        if failure.reason == .validatorChanged, case .counted(let restarts) = changes {
            if restarts < Self.restartLimit {
                changes = .counted(restarts + 1)
                (position, size, validator, answer, earlierEnd) = (0, nil, nil, .none, nil)
                return .restart
            }
            if isDigestDeclared {
                changes = .tolerated
                return .ask(notBefore: now)
            }
        }
        // An empty object has no first byte, so the server can't satisfy the range (416). It answers a request without one.
        if failure.reason == .wrongSize, expectedSize == nil, position == 0, !hasAnswered, !asksWithoutRange {
            asksWithoutRange = true
            return .ask(notBefore: now)
        }
        // After an attempt that brought bytes before it broke, the next one follows at once.
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
    /// The bytes have a content coding, and no declared size and digest tell whether they are the object's bytes as they are.
    static func undeclared(coding: String) -> AttemptFailure {
        AttemptFailure(
            .encoded, .location,
            detail:
                "the response is encoded (Content-Encoding: \(coding)): declare the size and a digest of the encoded bytes")
    }
}
