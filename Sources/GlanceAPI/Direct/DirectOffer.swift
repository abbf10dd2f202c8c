import BackendKit
package import FoundationEssentials
import ImageCatalog
package import ImageModel
import LocationSelection
package import RelayEngine

/// What a trusted client may be told of the locations of one representation: where it can read them without Baton.
package struct DirectOffer: Sendable {
    /// A location with the URL to read it at.
    package struct Place: Sendable {
        package let location: Location
        /// For the header of an answer and for nothing else: it may hold a signature, and goes into no log.
        package let url: String
        /// When the URL ends; nil if it does not.
        package let expires: Date?
        /// Whether nothing speaks against it now.
        package let isHealthy: Bool
    }

    /// Why nobody is sent to a location.
    package enum Absence: String, Sendable {
        /// The caller is not trusted.
        case notTrusted = "not-trusted"
        /// No location that may serve lies in a backend that clients may be sent to.
        case noRedirect = "no-redirect"
        /// None of those has been verified in full.
        case notVerified = "not-verified"
        /// All of those failed lately, or are suspect.
        case notHealthy = "not-healthy"
        /// A range was asked for while the representation is on integrity hold.
        case onIntegrityHold = "integrity-hold"
        /// The range is wanted only of other bytes than these (`If-Range`): a location may not know what the tag means.
        case otherContent = "other-content"
    }

    /// The best first. Those that failed lately stand behind; those that are suspect are left out.
    package let places: [Place]
    /// Why there is none, or none that is healthy.
    package let absence: Absence?

    /// The place to send a client to.
    package var best: Place? { places.first(where: \.isHealthy) }
}

/// Makes offers: from which locations a client may read by itself, in the order of the selection.
package struct DirectOffers: Sendable {
    private let relays: Relays
    /// How long a URL that ends is good.
    private let lifetime: Duration

    /// - Parameter lifetime: how long a URL that ends is good.
    package init(relays: Relays, lifetime: Duration) {
        self.relays = relays
        self.lifetime = lifetime
    }

    /// The offer of a representation: a client that reads elsewhere verifies the whole by its digest, so any location will do that
    /// could serve a download of the whole.
    package func offer(of target: RepresentationResolver.Admitted, at now: Date) -> DirectOffer {
        let whole = DownloadPlan(
            of: target.representation, hasManifest: false, isHeld: false, locations: target.resolution.locations)
        return offer(of: relays.select(target.resolution.locations, for: whole, isExploring: false), at: now)
    }

    /// The offer of the locations that may serve now.
    func offer(of selection: Selection, at now: Date) -> DirectOffer {
        let open = selection.ranked.compactMap { place(of: $0, at: now) }
        // What a client gets elsewhere nobody verifies for it on the way: the content must have been verified before.
        let verified = open.filter { $0.location.verifiedAt != nil }
        let places = verified.filter { !$0.location.isSuspect }
        let absence: DirectOffer.Absence? =
            if open.isEmpty {
                .noRedirect
            } else if verified.isEmpty {
                .notVerified
            } else if !places.contains(where: \.isHealthy) {
                .notHealthy
            } else {
                nil
            }
        return DirectOffer(places: places, absence: absence)
    }

    private func place(of ranked: Selection.Ranked, at now: Date) -> DirectOffer.Place? {
        let location = ranked.location
        guard let backend = relays.registry[location.backend], backend.redirects,
            let url = backend.driver.directURL(for: location.path, lifetime: lifetime), Self.isFit(url)
        else { return nil }
        let expires = backend.driver.directURLsEnd ? now.addingTimeInterval(Double(lifetime.components.seconds)) : nil
        return DirectOffer.Place(location: location, url: url, expires: expires, isHealthy: ranked.standing == .regular)
    }

    /// The last door, whatever a driver says: http or https, no user and no password in it, nothing that would end a header field
    /// or the brackets of a link, and no dot segments, which most clients resolve: they would ask for another object.
    static func isFit(_ url: String) -> Bool {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"<>\"\\".utf8.contains($0) }),
            let scheme = ["http://", "https://"].first(where: url.hasPrefix)
        else { return false }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { !"/?#".contains($0) }
        let path = rest.dropFirst(authority.count).prefix { !"?#".contains($0) }
        // Escaped dots are dots to clients that go by the rules of browsers.
        let segments = path.pathSegments.map { $0.lowercased().replacing("%2e", with: ".") }
        return !segments.contains { [".", ".."].contains($0) } && !authority.isEmpty && !authority.contains("@")
    }
}
