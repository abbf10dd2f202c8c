import HTTPServing
import HTTPTypes
import Hummingbird
import ImageModel

/// The part of a download's response that concerns direct locations: a redirect instead of the bytes, or additional header
/// fields.
struct DirectAnswer {
    /// The most bytes of links in one response head: signed URLs are long, and a proxy in front may accept only 4 KiB in total.
    private static let linkLimit = 2048

    /// The redirect; nil if the server streams the bytes.
    let redirection: Response?
    /// The additional fields of a streamed response.
    let headers: HTTPFields

    /// The answer for a caller who may not see locations.
    /// - Parameter reason: the reason why the caller is not redirected, if a redirect was asked for.
    init(refusing reason: DirectOffer.Reason?) {
        redirection = nil
        headers = Self.reasonHeader(reason)
    }

    /// The answer for a caller who may see locations.
    /// - Parameters:
    ///   - isWanted: whether the caller asked for a redirect.
    ///   - reason: why the server must stream the requested bytes itself; nil without a reason.
    init(
        _ offer: DirectOffer, to target: ReadableRepresentation, isWanted: Bool, reason: DirectOffer.Reason?
    ) {
        let links = Self.links(to: offer.locations)
        guard isWanted else {
            redirection = nil
            headers = links
            return
        }
        guard reason == nil, let best = offer.best else {
            redirection = nil
            var headers = links
            headers.append(contentsOf: Self.reasonHeader(reason ?? offer.reason))
            self.headers = headers
            return
        }
        headers = [:]
        var head = links
        head[.location] = best.url
        // The URL is for this client only and may expire soon.
        head[.cacheControl] = "no-store"
        head[.vary] = "Accept"
        head.append(contentsOf: target.digestHeaders)
        redirection = Response(status: .temporaryRedirect, headers: head)
    }

    /// Whether a request asks for a redirect (`direct=true`).
    /// - Throws: `APIError` 400 for a value other than true and false.
    static func isWanted(_ request: Request) throws(APIError) -> Bool {
        switch request.uri.queryParameters["direct"] {
        case nil, "false": return false
        case "true": return true
        case .some(let text): throw .badRequest("direct must be true or false, not \(text.excerpt(32)).")
        }
    }

    /// The direct locations as links to duplicates (RFC 6249 section 2).
    private static func links(to locations: [DirectOffer.OfferedLocation]) -> HTTPFields {
        var text = ""
        for (index, location) in locations.enumerated() {
            let link = "\(text.isEmpty ? "" : ", ")<\(location.url)>; rel=duplicate; pri=\(index + 1)"
            guard text.utf8.count + link.utf8.count <= linkLimit else { break }
            text += link
        }
        guard !text.isEmpty, let field = HTTPField.Name("Link") else { return [:] }
        return [field: text, .cacheControl: "no-store"]
    }

    private static func reasonHeader(_ reason: DirectOffer.Reason?) -> HTTPFields {
        guard let reason, let field = HTTPField.Name("Baton-Direct") else { return [:] }
        return [field: "none; reason=\(reason.rawValue)"]
    }
}
