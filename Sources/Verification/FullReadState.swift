import BackendKit
import ImageCatalog
import ImageModel
import LocationSelection
import OriginRead

/// The decisions of one full read of a location, as a value: what to ask for, what to make of an answer, when to try again.
struct FullReadState: Sendable {
    /// What to do after an attempt ended.
    enum Step: Sendable, Equatable {
        /// Ask for what is missing, not before that time.
        case ask(notBefore: ContinuousClock.Instant)
        /// Forget everything and begin at the first byte: the object is another one now.
        case restart
        /// Every byte was read.
        case done
        /// It can't be read.
        case fail(AttemptFailure)
    }

    /// So many attempts in a row may bring nothing.
    static let timeout = 5
    /// A server that wants more time than that is come back to by another read: others, of other backends, wait for this reader.
    static let longestWait: Duration = .seconds(20)
    /// So often an object may be another one before the read is given up.
    private static let restartLimit = 2
    /// Where a range ends when the size is not known; servers cut it at the object's end (RFC 9110 section 14.1.2).
    private static let farAway: Int64 = 1 << 60

    private let expectedSize: Int64?
    /// The most bytes of an object whose size nobody declared.
    private let sizeLimit: Int64
    private let maximumRange: Int64?
    /// Whether a digest was declared, so that what was read is compared with it in the end.
    private let isDigestDeclared: Bool
    /// The offset of the next byte.
    private(set) var position: Int64
    /// The object's size, once known.
    private(set) var size: Int64?
    /// The object's size where it is not the expected one.
    private(set) var otherSize: Int64?
    /// Whether a server said how large the object is; else that is no more than where its answer ended.
    var isSizeStated: Bool { !isSizeUnstated }
    /// What pins the object, once known.
    private(set) var validator: Validator?
    private var hasAnswered = false
    /// Where the running attempt ends.
    private var pieceEnd: Int64 = 0
    private var asksWithoutRange = false
    private var failures = 0
    /// Whether bytes came since the last failure.
    private var hasAdvanced = false
    private var restarts = 0
    /// Whether the object may have any validator: it never kept one to the end.
    private var takesAnyValidator = false
    /// Whether the running attempt's answer does not say how large the object is: that shows at its end.
    private var isSizeUnstated = false
    /// Where such an answer ended before the declared size.
    private var earlierEnd: Int64?
    private var backoff = Backoff(base: .milliseconds(200), limit: .seconds(10))
    private var random: SplitMix64

    /// - Parameters:
    ///   - expectedSize: what the object must have; nil if that is to be found out.
    ///   - sizeLimit: the most bytes that it may have then.
    ///   - maximumRange: the most bytes of one attempt.
    ///   - isDigestDeclared: whether what is read will be compared with a declared digest.
    ///   - progress: how far an earlier read came.
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

    /// What the next attempt asks for; nil asks without a Range.
    var range: ByteRange? {
        // Behind the declared end, too, where nobody says that the object ends there.
        let end = size ?? (isSizeUnstated ? nil : expectedSize) ?? Self.farAway
        guard !asksWithoutRange, let rest = ByteRange(first: position, last: end - 1) else { return nil }
        return maximumRange.map { rest.prefix($0) } ?? rest
    }

    /// Judges an answer's head.
    /// - Returns: what to do with the body.
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
                    .wrongRange, .location, detail: "asked for byte \(position), was answered from byte \(head.first)"))
        }
        size = total
        // What was read under several validators is pinned by none of them.
        validator = takesAnyValidator ? nil : head.validator
        hasAnswered = true
        // An answer without ranges goes to the object's end, and may bring it all at once; one with less than asked ends where it says.
        pieceEnd = head.first < position ? total : min(total, range.map { $0.last + 1 } ?? total)
        if let count = head.count { pieceEnd = min(pieceEnd, head.first + count) }
        return .success(BodyWindow(skip: position - head.first, take: pieceEnd - position))
    }

    /// Judges the head of an answer that does not say how large the object is: what comes is read to its end.
    private mutating func judgeUnstated(_ head: ObjectHead) -> Result<BodyWindow, AttemptFailure> {
        if position > 0 || hasAnswered, validator != head.validator, !takesAnyValidator {
            return .failure(AttemptFailure(.validatorChanged, .location, detail: "the object changed while it was read"))
        }
        guard head.first == position || head.first == 0 else {
            return .failure(
                AttemptFailure(
                    .wrongRange, .location, detail: "asked for byte \(position), was answered from byte \(head.first)"))
        }
        validator = takesAnyValidator ? nil : head.validator
        hasAnswered = true
        isSizeUnstated = true
        pieceEnd = head.count.map { head.first + $0 } ?? Self.farAway
        return .success(BodyWindow(skip: position - head.first, take: pieceEnd - position))
    }

    /// Why the read is to be given up: more bytes came than the object may have.
    var excess: AttemptFailure? {
        guard position > expectedSize ?? sizeLimit else { return nil }
        return tooLarge
    }

    private var tooLarge: AttemptFailure {
        let detail =
            expectedSize.map { "the object has more than the \($0) bytes that are declared" }
            ?? "the object has more than the \(sizeLimit) bytes of uploads.max_size: declare its size"
        return AttemptFailure(.wrongSize, .location, detail: detail)
    }

    /// The answer ended, and so did the object, if it is all there.
    private mutating func endedUnstated(at now: ContinuousClock.Instant) -> Step {
        let short = AttemptFailure(.shortBody, .backend, detail: "the answer ended early, at byte \(position)")
        guard pieceEnd == Self.farAway else {
            // A part: what follows it shows whether the object goes on.
            return position == pieceEnd ? .ask(notBefore: now) : failed(short, at: now)
        }
        guard let expectedSize, position < expectedSize else { return atEnd() }
        // It was cut off, or the object is smaller. Then it ends there again.
        guard earlierEnd == position else {
            earlierEnd = position
            return failed(short, at: now)
        }
        return atEnd()
    }

    /// The object has no more bytes than were read.
    private mutating func atEnd() -> Step {
        if let expectedSize, position != expectedSize {
            otherSize = position
            return .fail(.otherSize(position, expected: expectedSize))
        }
        size = position
        return .done
    }

    /// Bytes were taken in.
    mutating func advance(by count: Int64) {
        position += count
        failures = 0
        hasAdvanced = true
        backoff.reset()
    }

    /// The attempt ended as the server announced.
    mutating func ended(at now: ContinuousClock.Instant) -> Step {
        if isSizeUnstated, hasAnswered { return endedUnstated(at: now) }
        if hasAnswered, position == size { return .done }
        if hasAnswered, position == pieceEnd { return .ask(notBefore: now) }
        return failed(AttemptFailure(.shortBody, .backend, detail: "the answer ended early, at byte \(position)"), at: now)
    }

    /// The attempt was given up to let a download have its connection: nobody's fault.
    func yielded(at now: ContinuousClock.Instant) -> Step { .ask(notBefore: now) }

    /// The attempt failed.
    mutating func failed(_ failure: AttemptFailure, at now: ContinuousClock.Instant) -> Step {
        if let excess {
            // By how much is not known, and must not depend on how its bytes happened to arrive.
            otherSize = expectedSize.map { $0 + 1 }
            return .fail(excess)
        }
        // Nothing can be asked for behind the last byte (416).
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
        // An empty object has no first byte: the server can't satisfy the range (416). Asked for all, it says so.
        if failure.reason == .wrongSize, expectedSize == nil, position == 0, !hasAnswered, !asksWithoutRange {
            asksWithoutRange = true
            return .ask(notBefore: now)
        }
        // An attempt that brought something before it broke is followed by the next at once, however little it was.
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
    /// The bytes have the label of a coding, and nothing was declared that tells whether they are the object's as they are.
    static func undeclared(coding: String) -> AttemptFailure {
        AttemptFailure(
            .encoded, .location,
            detail:
                "the answer is encoded (Content-Encoding: \(coding)): declare the size and a digest of its bytes as they are")
    }
}
