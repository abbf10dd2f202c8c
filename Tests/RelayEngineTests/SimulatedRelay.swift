import BackendKit
import ImageModel
import LocationSelection
import OriginRead

@testable import RelayEngine

/// A relay's state machine among simulated servers and a simulated client: every byte is followed from a server's answer to the
/// client, so that it can be compared with what it should be.
struct SimulatedRelay {
    /// A byte in transit: its value, and whether its server corrupted it or took it from another object.
    struct Byte: Equatable {
        let value: UInt8
        let isSpoilt: Bool
    }

    /// A server's answer to one attempt.
    struct Answer {
        let id: AttemptID
        let candidate: Int
        var position: Int64
        let end: Int64
        let isSpoiling: Bool
        /// Whether the server has another object now, whose validator it names.
        var isExchanged = false
        let head: ObjectHead
        var hasSentHead = false
    }

    /// What an attempt waits for before its request.
    struct Gate {
        let id: AttemptID
        let candidate: Int
        let range: ByteRange?
        /// What to send when it opens.
        let opening: RelayEvent
    }

    static let policy: RelayPolicy = {
        var policy = RelayPolicy()
        policy.stallTimeout = .milliseconds(300)
        policy.stallTimeoutLimit = .seconds(2)
        policy.giveUpAfter = .seconds(5)
        policy.clientStallTimeout = .seconds(20)
        policy.revisits = 6
        policy.refundAfter = 40
        policy.discardLimit = 120
        policy.tail = 24
        policy.window = 48
        policy.slow.window = .milliseconds(150)
        policy.slow.factor = 2
        policy.slow.floor = 150
        policy.slow.dwell = .milliseconds(400)
        policy.slowBoundary = 16
        return policy
    }()

    let plan: RelayPlan
    var machine: RelayStateMachine
    var random: SplitMix64
    var now = ContinuousClock.now
    var answer: Answer?
    var gate: Gate?
    /// The attempt that holds a permit.
    var permitted: AttemptID?
    /// The attempt that requested estimates of what others could do.
    var estimating: AttemptID?
    /// The attempt that yields its permit, and the offset that it must not read beyond.
    var yielding: (id: AttemptID, limit: Int64)?
    /// How often a permit was yielded.
    var yields = 0
    /// The number of failovers from a slow location.
    var slowFailovers = 0
    var isPaused = false
    /// Bytes taken and not yet released, from `heldStart` on.
    var held: [Byte] = []
    var heldStart: Int64
    /// The chunks below this offset are verified.
    var verified: Int64
    /// The number of rejected chunks.
    var rejections = 0
    var delivered: [Byte] = []
    var consumed: Int64 = 0
    var mayRelease: Int64
    var mustVerify = false
    /// Whether the digest of the whole was compared and matched.
    var hasMatched = false
    var isCommitted = false
    /// The candidate that gave each byte that was taken, from the plan's start on.
    var givers: [Int] = []
    /// The candidate of the last attempt, or of the one about to begin.
    var lastCandidate: Int?
    /// The candidates that must be named for the rejected chunk.
    var suspects: [Int]?
    /// The candidates that the relay has read with the validator that they began with.
    var pinned: Set<Int> = []
    var ends: [RelayAction] = []
    var complaints: [String] = []
    /// How often each pair of phase and event was tried.
    var coverage: [String: Int] = [:]

    init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let size = Int64.random(in: 0...200, using: &random)
        let isPinned = Bool.random(using: &random)
        let candidates = (0..<Int.random(in: 1...4, using: &random)).map { index in
            RelayPlan.Candidate(
                maximumRange: Bool.random(using: &random) ? Int64.random(in: 10...40, using: &random) : nil,
                requiredValidator: isPinned ? Self.validator(of: index) : nil,
                timeout: Bool.random(using: &random) ? .milliseconds(200) : nil,
                tier: Int.random(in: 0...1, using: &random),
                isSuspect: Int.random(in: 0..<8, using: &random) == 0)
        }
        let layout = Bool.random(using: &random) ? ChunkLayout(size: size, chunkSize: .random(in: 5...40, using: &random)) : nil
        if size > 2, Int.random(in: 0..<3, using: &random) == 0, let range = ByteRange(first: size / 3, last: size - 2) {
            plan = RelayPlan(range: range, of: size, layout: layout, candidates: candidates)
        } else {
            plan = RelayPlan(whole: size, verification: layout.map { .chunks($0) } ?? .digest, candidates: candidates)
        }
        machine = RelayStateMachine(plan: plan, policy: Self.policy, seed: random.next(), at: now)
        mayRelease = plan.delivery.lowerBound
        heldStart = plan.start
        verified = plan.start
        self.random = random
    }

    /// The validator of a candidate's object until the object is exchanged.
    static func validator(of candidate: Int) -> Validator { Validator("v\(candidate)") }

    /// The right value of byte `offset` of the representation.
    static func truth(_ offset: Int64) -> UInt8 {
        var generator = SplitMix64(seed: UInt64(bitPattern: offset))
        return UInt8(truncatingIfNeeded: generator.next())
    }

    mutating func send(_ event: RelayEvent) {
        coverage["\(Self.name(machine.phase)) × \(Self.name(event))", default: 0] += 1
        let actions = machine.handle(event, at: now)
        for action in actions { perform(action) }
        watchPermit(event, actions)
    }

    /// Giving a permit back is no failure, and reads no further than the chunk, or than an answer that ends within it.
    private mutating func watchPermit(_ event: RelayEvent, _ actions: [RelayAction]) {
        if let (id, limit) = yielding {
            if machine.attempt?.id == id {
                if machine.accepted > limit { complaints.append("read to \(machine.accepted), gives way at \(limit)") }
            } else {
                yielding = nil
            }
        }
        guard case .permitWanted(let id) = event else { return }
        if actions.contains(where: { if case .report(.failed) = $0 { true } else { false } }) {
            complaints.append("giving way is a failure: \(actions)")
        }
        if actions.contains(.cancel(id)) { yields += 1 }
        guard let attempt = machine.attempt, attempt.id == id, attempt.isYielding, yielding?.id != id else { return }
        yields += 1
        yielding = (id, attempt.end)
        if let layout, !attempt.end.isMultiple(of: layout.chunkSize), attempt.end != plan.end, attempt.end != attempt.offered,
            !plan.candidates[attempt.candidate].isBounded
        {
            complaints.append("gives way at \(attempt.end), inside a chunk")
        }
    }

    /// Tells the relay that another download waits for the permit of its running attempt.
    mutating func wantPermit() {
        guard let permitted, permitted == machine.attempt?.id else { return send(.tick) }
        send(.permitWanted(permitted))
    }

    private mutating func perform(_ action: RelayAction) {
        if !ends.isEmpty { complaints.append("\(action) after the end \(ends)") }
        switch action {
        case .start(let id, let candidate, let range):
            lastCandidate = candidate
            if plan.candidates[candidate].timeout != nil {
                gate = Gate(id: id, candidate: candidate, range: range, opening: .permitted(id))
            } else if Bool.random(using: &random) {
                gate = Gate(id: id, candidate: candidate, range: range, opening: .requested(id))
            } else {
                request(id, candidate, range)
            }
        case .cancel(let id):
            if answer?.id == id { answer = nil }
            if gate?.id == id { gate = nil }
            if permitted == id { permitted = nil }
        case .limit: break  // the bodyWindow is taken again at each batch
        case .estimate(let id): estimating = id
        case .offerPermit(let id, _), .insistOnPermit(let id):
            if permitted != id { complaints.append("\(action) without a permit") }
        case .pause: isPaused = true
        case .resume: isPaused = false
        case .commit:
            if isCommitted { complaints.append("committed twice") }
            if plan.verification == .digest, plan.size > 0, plan.size <= Self.policy.tail, !hasMatched {
                complaints.append("committed to what fits into the tail before its digest matched")
            }
            isCommitted = true
        case .release(let limit): release(limit)
        case .compareWholeDigest: mustVerify = true
        case .restart:
            if !delivered.isEmpty { complaints.append("started again although bytes had left") }
            held = []
            heldStart = plan.start
            givers = []
        case .rewind(let offset):
            givers = Array(givers.prefix(Int(offset - plan.start)))
            if offset < mayRelease, offset < verified { complaints.append("took back what had left") }
            held = Array(held.prefix(Int(offset - heldStart)))
        case .finish, .abort, .refuse:
            ends.append(action)
            checkEnd(action)
        case .report(let report): check(report)
        }
    }

    /// Compares the candidates that a report names with those that gave the bytes.
    private mutating func check(_ report: RelayReport) {
        switch report {
        case .failover(let failover):
            if failover.cause.reason == .slow { slowFailovers += 1 }
            if failover.to == failover.from { complaints.append("moved to where it was") }
            if failover.to != givers.last { complaints.append("moved to \(failover.to), the byte came from another place") }
        case .allVerified(let contributors):
            if contributors != Self.inOrder(givers) { complaints.append("\(contributors) are credited for \(givers)") }
        case .digestMismatch(let contributors):
            if contributors != Self.inOrder(givers) { complaints.append("\(contributors) are suspects for \(givers)") }
        case .chunkRejected(_, let contributors):
            if contributors != suspects { complaints.append("\(contributors) are suspects instead of \(suspects ?? [])") }
        case .failed(let candidate, let failure), .interrupted(let candidate, let failure):
            switch failure.reason {
            case .wrongDigest:
                if [candidate] != suspects { complaints.append("\(candidate) failed instead of \(suspects ?? [])") }
            case .withdrawn: break
            default:
                if candidate != lastCandidate { complaints.append("\(candidate) failed, \(lastCandidate ?? -1) was read") }
            }
        case .resumed(let candidate, _), .pace(let candidate, _):
            if candidate != lastCandidate { complaints.append("\(report) of another than \(lastCandidate ?? -1)") }
        case .contradicted: break
        }
    }

    /// Each of them once, in the order of their first byte.
    private static func inOrder(_ givers: some Sequence<Int>) -> [Int] {
        givers.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Answers with an estimate of each candidate.
    mutating func estimate(by id: AttemptID? = nil) {
        guard let asking = id ?? estimating else { return }
        if id == nil { estimating = nil }
        let estimates = plan.candidates.map { _ -> ThroughputEstimate in
            switch Int.random(in: 0..<4, using: &random) {
            case 0: .unknown
            case 1: .avoided
            default: .rate(Double(Int.random(in: 0...4000, using: &random)))
            }
        }
        send(.estimated(asking, estimates))
    }

    /// Gives the attempt what it waits for.
    mutating func openGate() {
        guard let open = gate else { return }
        gate = nil
        if case .permitted = open.opening {
            permitted = open.id
            gate = Gate(id: open.id, candidate: open.candidate, range: open.range, opening: .requested(open.id))
        } else {
            request(open.id, open.candidate, open.range)
        }
        send(open.opening)
    }

    private mutating func request(_ id: AttemptID, _ candidate: Int, _ range: ByteRange?) {
        if plan.candidates[candidate].timeout != nil, permitted != id { complaints.append("started without a permit") }
        let wanted = heldStart + Int64(held.count)
        if let range, range.first != wanted { complaints.append("requests \(range), is at \(wanted)") }
        isPaused = false
        let first = range?.first ?? 0
        let last = range?.last ?? plan.size - 1
        let size = plan.size
        var head = ObjectHead(first: first, count: last - first + 1, total: size, validator: Self.validator(of: candidate))
        var from = first
        var isExchanged = false
        switch Int.random(in: 0..<14, using: &random) {
        case 0:  // another start than asked for, with the bytes of that start
            from = max(0, first + Int64.random(in: -3...3, using: &random))
            head = ObjectHead(first: from, count: last - from + 1, total: size, validator: head.validator)
        case 1:  // ignores the range
            from = 0
            head = ObjectHead(first: 0, count: size, total: size, validator: head.validator)
        case 2: head = ObjectHead(first: first, count: head.count, total: size + 1, validator: head.validator)
        case 3:  // less than asked for, which is legal unless it is nothing
            let count = Int64.random(in: 0...max(0, last - first), using: &random)
            head = ObjectHead(first: first, count: count, total: size, validator: head.validator)
        case 4: head = ObjectHead(first: first, count: head.count, total: size, validator: Validator("changed"))
        case 5: head = ObjectHead(first: first, count: nil, total: nil, validator: head.validator)
        case 6, 7:  // has another object by now, which the relay can know if it knew the one before
            isExchanged = plan.verification != .none || pinned.contains(candidate) || isRequired(at: candidate)
            guard isExchanged else { break }
            head = ObjectHead(first: first, count: head.count, total: size, validator: Validator("exchanged"))
        default: break
        }
        // A range can't be verified, so spoiling servers are only fair where a digest is compared.
        let isSpoiling = plan.verification != .none && Int.random(in: 0..<8, using: &random) == 0
        answer = Answer(
            id: id, candidate: candidate, position: from, end: from + (head.count ?? (last - from + 1)), isSpoiling: isSpoiling,
            isExchanged: isExchanged, head: head)
    }

    private func isRequired(at candidate: Int) -> Bool { plan.candidates[candidate].requiredValidator != nil }

    /// The server sends the head of its answer.
    mutating func sendHead(of answer: Answer) {
        self.answer?.hasSentHead = true
        send(.head(answer.id, answer.head))
        if machine.bodyWindow(of: answer.id) != nil, answer.head.validator == Self.validator(of: answer.candidate) {
            pinned.insert(answer.candidate)
        }
    }

    /// Lets the server send up to `count` bytes, through the bodyWindow as the relay does.
    mutating func sendBytes(_ count: Int64) {
        guard var current = answer, current.hasSentHead, !isPaused, var bodyWindow = machine.bodyWindow(of: current.id) else {
            return
        }
        let available = max(0, min(count, current.end - current.position))
        guard available > 0 else { return }
        let (drop, keep) = bodyWindow.split(Int(available))
        for offset in (current.position + Int64(drop))..<(current.position + Int64(drop + keep)) {
            let isSpoilt = current.isExchanged || current.isSpoiling && offset % 7 == 3
            held.append(Byte(value: Self.truth(offset) ^ (isSpoilt ? 0x55 : 0), isSpoilt: isSpoilt))
            givers.append(current.candidate)
        }
        current.position += available
        answer = current
        send(.bytes(current.id, dropped: available - Int64(keep), kept: Int64(keep)))
    }

    private mutating func release(_ limit: Int64) {
        if !isCommitted { complaints.append("released before the head went out") }
        if limit <= mayRelease { complaints.append("released backwards") }
        mayRelease = limit
        let count = Int(limit - heldStart)
        guard count <= held.count else { return complaints.append("released bytes that never came") }
        if layout != nil, limit > verified { complaints.append("released bytes that were not verified") }
        if plan.verification == .digest, !hasMatched, limit > max(plan.start, plan.end - Self.policy.tail) {
            complaints.append("released the tail before the digest of the whole matched")
        }
        for (offset, byte) in zip(heldStart..., held.prefix(count)) where offset >= plan.delivery.lowerBound {
            if !byte.isSpoilt, byte.value != Self.truth(offset) { complaints.append("byte \(offset) is another byte") }
            if layout != nil, byte.isSpoilt { complaints.append("the spoilt byte \(offset) left") }
            if plan.verification == .none, byte.isSpoilt { complaints.append("byte \(offset) of another object left") }
            delivered.append(byte)
        }
        held.removeFirst(count)
        heldStart = limit
    }

    /// The chunk layout of the representation, if its chunks are verified.
    var layout: ChunkLayout? {
        if case .chunks(let layout) = plan.verification { layout } else { nil }
    }

    /// Whether a whole chunk is there that has not been verified.
    var awaitsDecision: Bool {
        guard let layout, verified < plan.end else { return false }
        return heldStart + Int64(held.count) >= layout.end(of: layout.chunk(at: verified))
    }

    /// Verifies all chunks that are there, as the relay would, up to the first one that fails.
    mutating func verify() {
        guard let layout else { return }
        let before = verified
        while awaitsDecision {
            let end = layout.end(of: layout.chunk(at: verified))
            let chunk = held[Int(verified - heldStart)..<Int(end - heldStart)]
            let isRight = zip(verified..., chunk).allSatisfy { $1.value == Self.truth($0) }
            guard isRight else {
                if verified > before { send(.chunksVerified(upTo: verified)) }
                rejections += 1
                suspects = Self.inOrder(givers[Int(verified - plan.start)..<Int(end - plan.start)])
                return send(.chunkRejected(start: verified, digest: chunk.map(\.value)))
            }
            verified = end
        }
        if verified > before { send(.chunksVerified(upTo: verified)) }
    }

    private mutating func checkEnd(_ action: RelayAction) {
        let named = machine.segments.flatMap { [Int](repeating: $0.candidate, count: Int($0.end - $0.first)) }
        if named != givers { complaints.append("\(machine.segments) are named for \(givers)") }
        switch action {
        case .finish:
            if delivered.count != plan.delivery.count { complaints.append("finished after \(delivered.count) bytes") }
            if delivered.contains(where: \.isSpoilt) { complaints.append("finished with spoilt bytes") }
            if consumed != Int64(plan.delivery.count) { complaints.append("finished before the client had taken everything") }
        case .refuse:
            if isCommitted { complaints.append("refused after the head went out") }
        default:
            if plan.verification == .digest, plan.size > 0, delivered.count == Int(plan.end),
                !delivered.contains(where: \.isSpoilt),
                case .abort(.digestMismatch) = action
            {
                complaints.append("cut a right delivery")
            }
        }
    }

    /// Compares the digest as the relay would.
    mutating func verifyWhole() {
        mustVerify = false
        let all = delivered + held
        let matches = all.enumerated().allSatisfy { $1.value == Self.truth(plan.start + Int64($0)) }
        hasMatched = matches && all.count == Int(plan.size)
        send(.wholeDigestCompared(matched: hasMatched))
    }

    static func name(_ phase: RelayStateMachine.Phase) -> String {
        switch phase {
        case .idle: "idle"
        case .attempting: "attempting"
        case .deciding: "deciding"
        case .awaitingRoom: "awaitingRoom"
        case .waiting: "waiting"
        case .verifying: "verifying"
        case .draining: "draining"
        case .ended: "ended"
        }
    }

    static func name(_ event: RelayEvent) -> String {
        "\(event)".prefix { $0.isLetter }.description
    }

    static let phaseNames = ["idle", "attempting", "awaitingRoom", "waiting", "verifying", "draining", "ended"]
    static let eventNames = [
        "begin", "permitted", "requested", "began", "head", "bytes", "completed", "failed", "wholeDigestCompared", "consumed",
        "clientGone", "withdrawn", "chunksVerified", "chunkRejected", "manifestUnreadable", "estimated", "permitWanted",
        "window", "tick",
    ]
}
