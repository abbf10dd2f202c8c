import ChaosPlan
import FaultyOrigin
import Glibc
import Servers

/// What a client received from a server, compared byte by byte with what it should have received.
struct Reading: Sendable {
    let outcome: Observation.Outcome
    let received: Int64
    let gap: Double?
    let remark: String
    /// The server's id of the request.
    let request: String?

    private static let requestID = "x-openstack-request-id"

    init(
        _ outcome: Observation.Outcome, received: Int64 = 0, gap: Double? = nil, remark: String = "", request: String? = nil
    ) {
        self.request = request
        self.outcome = outcome
        self.received = received
        self.gap = gap
        self.remark = remark
    }

    /// After how many seconds without a byte a download counts as hung: more than all timeouts on the way together.
    static let timeout = 40
    /// What a slow client reads in a second, in bytes.
    private static let slowPace: Int64 = 8 << 20

    /// Carries out a planned download; blocks.
    /// - Parameter inject: called when the client reaches the plan's external injection.
    init(
        _ plan: PlannedDownload, of content: PatternedContent, at path: String, port: Int, inject: () throws -> Void
    ) throws {
        let isSlow = plan.client == .slow
        let client = try TestClient(port: port, receiveBuffer: isSlow ? 65_536 : nil, timeout: Self.timeout)
        let isRange = plan.client == .range
        try client.send(
            "GET", path, headers: isRange ? ["Range": "bytes=\(plan.range.lowerBound)-\(plan.range.upperBound - 1)"] : [:])
        var response = client.receiveHead()
        // A server may ignore a Range; its client then gets the whole image.
        guard response.status == 200 || isRange && response.status == 206 else {
            self.init(response)
            return
        }
        let range = response.status == 206 ? plan.range : 0..<plan.imageSize
        let offset = range.lowerBound
        var injectAt = plan.injections.first { $0.act == .external }?.offset
        var failure: (any Error)?
        let started = ContinuousClock.now
        var last = started
        var gap: Duration = .zero
        client.receiveBody(&response, expected: (content, offset)) { count in
            gap = max(gap, .now - last)
            if let due = injectAt, offset + count >= due {
                injectAt = nil
                do { try inject() } catch { failure = error }
            }
            if let leavesAt = plan.leavesAt, offset + count >= leavesAt { return false }
            if isSlow {
                let wait = started + .seconds(Double(count) / Double(Self.slowPace)) - .now
                if wait > .zero { usleep(UInt32(wait / .microseconds(1))) }
            }
            last = .now
            return failure == nil
        }
        if let failure { throw failure }
        self.init(response, range, plan.leavesAt, gap / .seconds(1))
    }

    /// A response without the bytes.
    private init(_ response: TestClient.Response) {
        if response.isTimedOut {
            self.init(.hung, remark: "no head", request: response.headers[Self.requestID])
        } else if (200...299).contains(response.status) {
            self.init(.wrong, remark: "status \(response.status)", request: response.headers[Self.requestID])
        } else {
            self.init(
                .failed, remark: response.status == 0 ? "no answer" : "status \(response.status)",
                request: response.headers[Self.requestID])
        }
    }

    private init(_ response: TestClient.Response, _ range: Range<Int64>, _ leavesAt: Int64?, _ gap: Double) {
        let outcome: Observation.Outcome
        var remark = ""
        if let wrong = response.firstWrongByte {
            (outcome, remark) = (.wrong, "byte \(wrong) is wrong")
        } else if response.isTimedOut {
            (outcome, remark) = (.hung, "silent after \(response.count) bytes")
        } else if let leavesAt, range.lowerBound + response.count >= leavesAt {
            outcome = .abandoned
        } else if response.isComplete, response.count == range.count {
            outcome = .exact
        } else if response.isComplete {
            (outcome, remark) = (.wrong, "complete with \(response.count) bytes")
        } else {
            (outcome, remark) = (.failed, "cut after \(response.count) bytes of \(range.count)")
        }
        self.init(outcome, received: response.count, gap: gap, remark: remark, request: response.headers[Self.requestID])
    }
}
