package import CurlTransfer
import FoundationEssentials

/// A Baton server as its clients see it.
package struct Endpoint: Sendable {
    /// The server's URL, without a slash at its end, or `unix:` and the path of its socket file.
    package let url: String
    /// What every path is added to.
    private let base: String
    /// The file to connect to; nil where the URL says whom.
    private let socketFile: String?
    let token: String?
    /// A file of certificates to check the server's with, in place of the system's; nil for those.
    let authorities: String?
    let loop: TransferLoop
    /// A server that says nothing for so long is given up.
    var timeout: Duration = .seconds(30)

    /// - Parameters:
    ///   - url: the server's URL, or `unix:` and the path of its socket file.
    ///   - token: sent as `X-Auth-Token`; nil sends none.
    ///   - authorities: a file of certificates to check the server's with, in place of the system's; nil for those.
    ///   - loop: where the transfers run.
    package init(url: String, token: String?, authorities: String? = nil, loop: TransferLoop) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        socketFile = Self.socketFile(in: url)
        base = socketFile == nil ? self.url : "http://localhost"
        self.token = token
        self.authorities = authorities
        self.loop = loop
    }

    /// The path of the socket file that a server's URL names, which must be absolute; nil if it names none.
    package static func socketFile(in url: String) -> String? {
        url.hasPrefix("unix:/") ? String(url.dropFirst("unix:".count)) : nil
    }

    /// An answer, whole.
    package typealias Answer = Exchange.Answer

    /// More than any list of ours; a server that sends more is not one of ours.
    private static let limit = 64 << 20

    func request(
        _ path: String, method: TransferRequest.Method = .get, headers: [(name: String, value: String)] = []
    ) -> TransferRequest {
        var headers = headers
        if let token { headers.append(("X-Auth-Token", token)) }
        var request = TransferRequest(
            source: .url(base + path), method: method, headers: headers, connectTimeout: .seconds(10))
        request.authorities = authorities
        request.socketFile = socketFile
        return request
    }

    /// Sends a request and waits for the whole answer.
    /// - Parameter body: JSON; nil sends none.
    /// - Throws: `ClientError`, also when the server says no.
    package func send(_ method: String, _ path: String, body: [UInt8]? = nil) async throws -> Answer {
        let headers = body == nil ? [] : [(name: "Content-Type", value: "application/json")]
        let how: TransferRequest.Method =
            switch method {
            case "GET": .get
            case "HEAD": .head
            default: .send(method: method, body: body ?? [])
            }
        let answer = try await exchange(request(path, method: how, headers: headers))
        guard (200..<300).contains(answer.head.status) else { throw refusal(answer) }
        return answer
    }

    /// Sends a request and waits for the whole answer, whatever its status.
    func exchange(_ request: TransferRequest) async throws(ClientError) -> Answer {
        do {
            return try await Exchange.run(request, on: loop, limit: Self.limit, silence: timeout)
        } catch {
            guard case .send = request.method, error.kind == .noAnswer || error.kind == .connectionLost else {
                throw .unreachable(self, error)
            }
            let reason = ClientError.unreachable(self, error).message
            throw ClientError(.unreachable, "Whether it was done is not known, look before you try again. \(reason)")
        }
    }

    /// Asks again with GET what a HEAD was refused: the answer to HEAD has no body to explain itself with.
    /// - Returns: nil when it is not refused any more.
    func explainedRefusal(of path: String) async throws(ClientError) -> ClientError? {
        do {
            let answer = try await Exchange.run(request(path), on: loop, timeout: timeout) { head in
                head.status >= 400 ? 1 << 16 : 0
            }
            return answer.head.status >= 400 ? refusal(answer) : nil
        } catch {
            throw .unreachable(self, error)
        }
    }

    /// What a server's "no" says, in its own words.
    func refusal(_ answer: Answer) -> ClientError {
        struct Envelope: Decodable {
            struct Inner: Decodable { let message: String }
            let error: Inner
        }
        let message = (try? JSONDecoder().decode(Envelope.self, from: Data(answer.body)))?.error.message
        let wait = answer.head["retry-after"].flatMap { Int($0) }.map { Duration.seconds(min(max($0, 0), 60)) }
        return ClientError(
            .refused(status: answer.head.status),
            (message ?? "\(url) answered with status \(answer.head.status) and no explanation; is it a Baton server?")
                + advice(on: answer.head.status),
            retryAfter: wait)
    }

    /// What to do about a server that asks who is there.
    private func advice(on status: Int) -> String {
        switch status {
        case 401 where token == nil: " Set the environment variable BATON_TOKEN to it."
        case 401: " The one sent is that of the environment variable BATON_TOKEN."
        // Without a token 403 comes from a server that asks nobody who they are: a token would change nothing.
        case 403 where token != nil: " Who you are is what the token in BATON_TOKEN says."
        default: ""
        }
    }
}
