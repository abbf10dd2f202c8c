package import AdminContract
package import CurlTransfer
import FoundationEssentials
package import ImageModel

/// A Baton server, as its clients see it.
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
            throw ClientError(
                .unreachable, "The server may have run the request: check its state before you try again. \(reason)")
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
        let message = (try? JSONDecoder().decode(ErrorDocument.self, from: Data(answer.body)))?.error.message
        let wait = answer.head["retry-after"].flatMap { Int($0) }.map { Duration.seconds(min(max($0, 0), 60)) }
        return ClientError(
            .refused(status: answer.head.status),
            (message ?? "\(url) answered with status \(answer.head.status) and no message; is it a Baton server?")
                + advice(on: answer.head.status),
            retryAfter: wait)
    }

    /// The remedy if the server asks for authentication.
    private func advice(on status: Int) -> String {
        switch status {
        case 401 where token == nil: " Set the environment variable BATON_TOKEN to the token."
        case 401: " The client sent the token of the environment variable BATON_TOKEN."
        // Without a token, 403 comes from a server that does not authenticate: a token would change nothing.
        case 403 where token != nil: " The token in BATON_TOKEN determines the user and the roles."
        default: ""
        }
    }
}

// Requests of the command line other than image data.
extension Endpoint {
    /// Fetches all images, page by page.
    /// - Parameter name: only images with this name; nil for all.
    /// - Throws: `ClientError`.
    package func images(named name: String? = nil) async throws -> [ServerImage] {
        struct Page: Decodable {
            let images: [ServerImage]
            let next: String?
        }
        let query = name.map { "&name=\(PercentEncoding.encode($0))" } ?? ""
        var next: String? = "/v2/images?limit=1000" + query
        var images: [ServerImage] = []
        while let path = next {
            let page = try await send("GET", path).decoded(as: Page.self)
            images += page.images
            next = page.images.isEmpty ? nil : page.next.map { $0.contains("name=") ? $0 : $0 + query }
        }
        return images
    }

    /// Resolves an id, or a name that only one image has.
    /// - Throws: `ClientError`.
    package func imageID(_ text: String) async throws -> ImageID {
        if let id = ImageID(text) { return id }
        let matches = try await images(named: text)
        guard let match = matches.first, let id = ImageID(match.id) else {
            throw ClientError(.refused(status: 404), "No image has the name \(text): `baton image list` shows all images.")
        }
        guard matches.count == 1 else {
            let ids = matches.map(\.id).joined(separator: ", ")
            throw ClientError(
                .refused(status: 409), "\(matches.count) images have the name \(text): give one of these ids: \(ids).")
        }
        return id
    }

    /// Fetches one image.
    /// - Throws: `ClientError`.
    package func image(_ id: ImageID) async throws -> ServerImage {
        try await send("GET", "/v2/images/\(id)").decoded(as: ServerImage.self)
    }

    /// Fetches an image's locations, page by page.
    /// - Throws: `ClientError`.
    package func locations(of image: ImageID) async throws -> PagedList<LocationDocument> {
        try await list(AdminPath.locations(of: image))
    }

    /// Fetches the list of files written by uploads, page by page.
    /// - Parameter onlyOrphans: only files that no image refers to.
    /// - Throws: `ClientError`.
    package func uploads(onlyOrphans: Bool) async throws -> PagedList<UploadDocument> {
        let orphans: [(name: AdminQuery, value: String)] = onlyOrphans ? [(.orphans, "true")] : []
        return try await list(AdminPath.path(AdminPath.uploads, query: [(.limit, "1000")] + orphans))
    }
}
