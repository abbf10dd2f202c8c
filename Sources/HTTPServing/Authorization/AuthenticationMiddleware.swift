package import Access
import HTTPTypes
import Hummingbird
import ImageModel
import Logging
import NetworkAddress

/// How callers are identified: by token, and by the network they connect from.
package struct CallerAccess: Sendable {
    let authenticator: any Authenticator
    let trusted: TrustedNetworks

    /// - Parameters:
    ///   - authenticator: resolves a token to a caller.
    ///   - trusted: the networks whose callers are trusted without the role for it.
    package init(authenticator: any Authenticator, trusted: TrustedNetworks) {
        self.authenticator = authenticator
        self.trusted = trusted
    }
}

/// Identifies the caller of a request and checks that the caller's role permits the route.
struct AuthenticationMiddleware: RouterMiddleware {
    typealias Context = APIContext

    private static let tokenField = HTTPField.Name(parsed: "x-auth-token")
    private static let forwardedField = HTTPField.Name(parsed: "x-forwarded-for")

    let access: Reloadable<CallerAccess>

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let route = context.endpointPath
        let requirement = route.map { RoutePolicy.requirement(request.method.rawValue, $0) }
        if case .some(.nothing) = requirement { return try await next(request, context) }
        var context = context
        let access = access.current
        let trusted = access.trusted
        let forwardedFor = Self.forwardedField.map { request.headers[values: $0] } ?? []
        let client = trusted.client(peer: context.peer, forwardedFor: forwardedFor)
        if let client { context.clientAddress = "\(client)" }
        context.record.note(nil, at: context.clientAddress)
        context.caller = try await caller(
            of: request, from: client ?? context.peer.flatMap { IPAddress($0) }, access.authenticator)
        if trusted.hold(peer: context.peer, forwardedFor: forwardedFor) { context.caller = context.caller.trusted }
        context.record.note(context.caller, at: context.clientAddress)
        // An unknown path needs no protection: the router answers 404.
        guard let requirement else { return try await next(request, context) }
        if case .some(.otherMethod(let possible)) = requirement {
            var error = APIError(
                .methodNotAllowed, "This path does not support \(request.method); it supports \(possible).")
            error.headers[.allow] = possible
            throw error
        }
        guard case .role(let role) = requirement, context.caller.has(role) else {
            throw refusal(context.caller, requirement, request)
        }
        return try await next(request, context)
    }

    private func caller(
        of request: Request, from client: IPAddress?, _ authenticator: any Authenticator
    ) async throws(APIError) -> Caller {
        do throws(AuthenticationRefusal) {
            return try await authenticator.caller(of: Self.token(in: request.headers), from: client)
        } catch {
            switch error {
            case .missing, .unknown, .expired:
                var answer = APIError(.unauthorized, "\(error)")
                answer.headers[.wwwAuthenticate] = authenticator.challenge
                throw answer
            case .unavailable(let retryAfter):
                var answer = APIError(.serviceUnavailable, "\(error)")
                answer.headers[.retryAfter] = "\(max(1, retryAfter.components.seconds))"
                throw answer
            case .tooManyGuesses(let retryAfter):
                var answer = APIError(.tooManyRequests, "\(error)")
                answer.headers[.retryAfter] = "\(retryAfter.components.seconds + 1)"
                throw answer
            }
        }
    }

    /// The token of a request: `X-Auth-Token`, as OpenStack's clients send it, or `Authorization: Bearer` (RFC 6750 section
    /// 2.1); nil without either.
    static func token(in headers: HTTPFields) -> String? {
        if let name = tokenField, let token = headers[name] { return token }
        guard let authorization = headers[.authorization] else { return nil }
        let words = authorization.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }

    private func refusal(_ caller: Caller, _ requirement: RoutePolicy.CallerRequirement?, _ request: Request) -> APIError {
        guard case .role(let role) = requirement else {
            return APIError(.forbidden, "\(request.method) \(request.uri.path.excerpt(128)) is closed to every caller.")
        }
        let roles = caller.roles.isEmpty ? "no role" : "only " + caller.roles.map(\.rawValue).sorted().joined(separator: ", ")
        return APIError(
            .forbidden,
            "\(request.method) \(request.uri.path.excerpt(128)) needs the role \(role.rawValue), but this caller has \(roles): "
                + "use a token with that role.")
    }
}
