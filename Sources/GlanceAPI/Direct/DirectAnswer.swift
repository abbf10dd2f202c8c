import HTTPServing
import HTTPTypes
import Hummingbird
import ImageModel

/// What a download's answer says of direct locations: a redirection to one in its place, or further fields of its head.
struct DirectAnswer {
    /// The most bytes of links in one head: signed URLs are long, and a proxy in front may take no more than 4 KiB in all.
    private static let linkLimit = 2048

    /// The answer in place of the bytes; nil when they are streamed.
    let redirection: Response?
    /// What the head of the stream says.
    let headers: HTTPFields

    /// For those who are told of no location.
    /// - Parameter absence: why, when they asked to be sent to one.
    init(refusing absence: DirectOffer.Absence?) {
        redirection = nil
        headers = Self.absenceHeader(absence)
    }

    /// For those who may be sent.
    /// - Parameters:
    ///   - isWanted: whether they asked for it.
    ///   - obstacle: why the bytes asked for must come from here, whatever was asked for; nil when they need not.
    init(
        _ offer: DirectOffer, to target: RepresentationResolver.Admitted, isWanted: Bool, obstacle: DirectOffer.Absence?
    ) {
        let links = Self.links(to: offer.places)
        guard isWanted else {
            redirection = nil
            headers = links
            return
        }
        guard obstacle == nil, let best = offer.best else {
            redirection = nil
            var headers = links
            headers.append(contentsOf: Self.absenceHeader(obstacle ?? offer.absence))
            self.headers = headers
            return
        }
        headers = [:]
        var head = links
        head[.location] = best.url
        // The URL is for this client alone, and may be over soon.
        head[.cacheControl] = "no-store"
        head[.vary] = "Accept"
        head.append(contentsOf: target.digestHeaders)
        redirection = Response(status: .temporaryRedirect, headers: head)
    }

    /// Whether a request asks to be sent to a location.
    static func isWanted(_ request: Request) throws(APIError) -> Bool {
        switch request.uri.queryParameters["direct"] {
        case nil, "false": return false
        case "true": return true
        case .some(let text): throw .badRequest("direct must be true or false, not \(text.excerpt(32)).")
        }
    }

    /// Further sources of the same bytes (RFC 6249 section 2).
    private static func links(to places: [DirectOffer.Place]) -> HTTPFields {
        var text = ""
        for (index, place) in places.enumerated() {
            let link = "\(text.isEmpty ? "" : ", ")<\(place.url)>; rel=duplicate; pri=\(index + 1)"
            guard text.utf8.count + link.utf8.count <= linkLimit else { break }
            text += link
        }
        guard !text.isEmpty, let field = HTTPField.Name("Link") else { return [:] }
        return [field: text, .cacheControl: "no-store"]
    }

    private static func absenceHeader(_ absence: DirectOffer.Absence?) -> HTTPFields {
        guard let absence, let field = HTTPField.Name("Baton-Direct") else { return [:] }
        return [field: "none; reason=\(absence.rawValue)"]
    }
}
