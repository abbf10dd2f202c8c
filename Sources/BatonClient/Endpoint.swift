package import CurlTransfer
import FoundationEssentials

/// A Baton server, as seen by its clients.
package struct Endpoint: Sendable {
    /// The server's URL without a trailing slash, or `unix:` and the path of its socket file.
    package let url: String
    /// The prefix of every request's URL.
    private let base: String
    /// The socket file to connect to; nil if the URL names a host.
    private let socketFile: String?
    let token: String?
    /// The path of a PEM file with certificate authorities that replace the system's; nil for the system's.
    let authorities: String?
    let loop: TransferLoop
    /// The longest silence of the server before it is given up.
    var timeout: Duration = .seconds(30)

    /// Creates an endpoint.
    /// - Parameters:
    ///   - url: the server's URL, or `unix:` and the path of its socket file.
    ///   - token: sent as `X-Auth-Token`; nil sends none.
    ///   - authorities: the path of a PEM file with certificate authorities that replace the system's; nil for the system's.
    ///   - loop: the loop that runs the transfers.
    package init(url: String, token: String?, authorities: String? = nil, loop: TransferLoop) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        socketFile = Self.socketFile(in: url)
        base = socketFile == nil ? self.url : "http://localhost"
        self.token = token
        self.authorities = authorities
        self.loop = loop
    }

    /// The absolute path of the socket file that a URL names; nil if it names none.
    package static func socketFile(in url: String) -> String? {
        url.hasPrefix("unix:/") ? String(url.dropFirst("unix:".count)) : nil
    }

    /// A complete response.
    package typealias Answer = Exchange.Answer

    /// The largest response in bytes. No list of a Baton server is larger.
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

    /// Sends a request and waits for the complete response.
    /// - Parameter body: JSON; nil sends none.
    /// - Throws: `ClientError`, also if the server refuses.
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

    /// Sends a request and waits for the complete response, whatever its status.
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

    /// Repeats a refused HEAD as a GET, since the response to a HEAD has no body with an explanation.
    /// - Returns: nil if the GET is not refused.
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

    /// The error for a refusal, with the server's own message.
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

    /// The remedy if the server asks for authentication.
    private func advice(on status: Int) -> String {
        switch status {
        case 401 where token == nil: " Set the environment variable BATON_TOKEN to it."
        case 401: " The one sent is that of the environment variable BATON_TOKEN."
        // Without a token, 403 comes from a server that does not authenticate: a token would change nothing.
        case 403 where token != nil: " Who you are is what the token in BATON_TOKEN says."
        default: ""
        }
    }
}
