import BackendKit
package import FoundationEssentials
import ImageCatalog
package import ImageModel
import LocationSelection
package import RelayEngine

/// The locations of one representation that a trusted client may read directly.
package struct DirectOffer: Sendable {
    /// A location with its direct URL.
    package struct OfferedLocation: Sendable {
        package let location: Location
        /// For a response header only: the URL may contain a signature and must not be logged.
        package let url: String
        /// When the URL expires; nil if it does not.
        package let expires: Date?
        /// Whether the location is ranked regularly: it has not failed recently, and its backend is available.
        package let isHealthy: Bool
    }

    /// Why no direct location is offered.
    package enum Reason: String, Sendable {
        /// The caller does not have the role trusted.
        case notTrusted = "not-trusted"
        /// No serving location is in a backend that permits redirects.
        case noRedirect = "no-redirect"
        /// None of these locations has been verified in full.
        case notVerified = "not-verified"
        /// All of these locations failed recently or are suspect.
        case notHealthy = "not-healthy"
        /// The request has a range, and the representation is on integrity hold.
        case onIntegrityHold = "integrity-hold"
        /// The request has an `If-Range` that does not match: a location may not know the tag.
        case otherContent = "other-content"
    }

    /// The best first. Locations that failed recently come last; suspect ones are left out.
    package let locations: [OfferedLocation]
    /// Why there is no location, or no healthy one; nil if there is a healthy one.
    package let reason: Reason?

    /// The location for a redirect; nil without a healthy one.
    package var best: OfferedLocation? { locations.first(where: \.isHealthy) }
}

/// Creates offers of direct locations, in the order of the selection.
package struct DirectOffers: Sendable {
    private let relays: Relays
    /// How long an expiring URL stays valid.
    private let lifetime: Duration

    /// - Parameter lifetime: how long an expiring URL stays valid.
    package init(relays: Relays, lifetime: Duration) {
        self.relays = relays
        self.lifetime = lifetime
    }

    /// The offer for a representation. The client verifies the whole by its digest, so every location that could serve a whole
    /// download qualifies.
    package func offer(of target: ReadableRepresentation, at now: Date) -> DirectOffer {
        let whole = DownloadPlan(
            of: target.representation, hasManifest: false, isHeld: false, locations: target.resolution.locations)
        return offer(of: relays.select(target.resolution.locations, for: whole, isExploring: false), at: now)
    }

    /// The offer for the locations of a selection.
    func offer(of selection: Selection, at now: Date) -> DirectOffer {
        let open = selection.ranked.compactMap { offered($0, at: now) }
        // Baton does not verify bytes that a client reads directly, so the location must have been verified before.
        let verified = open.filter { $0.location.verifiedAt != nil }
        let locations = verified.filter { !$0.location.isSuspect }
        let reason: DirectOffer.Reason? =
            if open.isEmpty {
                .noRedirect
            } else if verified.isEmpty {
                .notVerified
            } else if !locations.contains(where: \.isHealthy) {
                .notHealthy
            } else {
                nil
            }
        return DirectOffer(locations: locations, reason: reason)
    }

    private func offered(_ ranked: Selection.Ranked, at now: Date) -> DirectOffer.OfferedLocation? {
        let location = ranked.location
        guard let backend = relays.registry[location.backend], backend.allowsRedirects,
            let url = backend.driver.directURL(for: location.path, lifetime: lifetime), Self.isFit(url)
        else { return nil }
        let expires = backend.driver.hasExpiringDirectURLs ? now.addingTimeInterval(Double(lifetime.components.seconds)) : nil
        return DirectOffer.OfferedLocation(
            location: location, url: url, expires: expires, isHealthy: ranked.standing == .regular)
    }

    /// The final check of a driver's URL: http or https, no user and no password, no character that would end a header field or
    /// a link, and no dot segments. Most clients resolve dot segments and would request another object.
    static func isFit(_ url: String) -> Bool {
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"<>\"\\".utf8.contains($0) }),
            let scheme = ["http://", "https://"].first(where: url.hasPrefix)
        else { return false }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { !"/?#".contains($0) }
        let path = rest.dropFirst(authority.count).prefix { !"?#".contains($0) }
        // Clients that follow the URL Standard treat an escaped dot as a dot.
        let segments = path.pathSegments.map { $0.lowercased().replacing("%2e", with: ".") }
        return !segments.contains { [".", ".."].contains($0) } && !authority.isEmpty && !authority.contains("@")
    }
}
