import BackendKit
package import ImageModel
package import LocationSelection

/// What a download delivers, and what it needs of a location to do so.
///
/// Every byte is verified before a client can take it for complete: the whole by its digest, a range by the digests of its chunks or by
/// coming from a location that was read in full and still has what was read. Where neither is possible, a range is ignored, in all its
/// spellings alike, and the whole is sent: a client that sees one range served takes all others for servable, too.
package struct DownloadPlan: Sendable, Equatable {
    /// The bytes to deliver; nil for the whole, which is answered without a range.
    package let range: ByteRange?
    /// How many bytes that are.
    package let count: Int64
    /// What it needs of a location.
    package let need: Selection.Need
    /// What a range of the representation needs of a location, whether or not ranges are served now.
    package let rangeNeed: Selection.Need
    /// Whether ranges of the representation are served.
    package let servesRanges: Bool
    /// Whether a range was asked for and is not served.
    package let ignoresRange: Bool

    /// - Parameters:
    ///   - range: the range that was asked for; nil for the whole.
    ///   - hasManifest: whether there is a manifest, and it can be read.
    ///   - isHeld: whether no ranges are served, so that nobody completes a corrupt file: the representation is or lately was on integrity
    ///     hold, or unverified bytes of it may be with a client.
    ///   - locations: those of the representation whose backends are configured.
    package init(
        of representation: Representation, range: ByteRange? = nil, hasManifest: Bool, isHeld: Bool, locations: [Location]
    ) {
        rangeNeed = hasManifest ? .whole : .range
        servesRanges = !isHeld && (hasManifest || locations.contains(where: \.servesVerifiedRanges))
        if let range, servesRanges {
            self.range = range
            count = range.count
            // All bytes are verified as a whole: any location may give them.
            need = range.isWhole(of: representation.size) ? .whole : rangeNeed
            ignoresRange = false
        } else {
            self.range = nil
            count = representation.size
            need = .whole
            ignoresRange = range != nil
        }
    }

    private init(whole plan: DownloadPlan, of representation: Representation) {
        range = nil
        count = representation.size
        need = .whole
        rangeNeed = plan.rangeNeed
        servesRanges = plan.servesRanges
        ignoresRange = plan.range != nil
    }

    /// The plan when no location could serve the range after all: the whole.
    package func wholeInstead(of representation: Representation) -> DownloadPlan {
        DownloadPlan(whole: self, of: representation)
    }

    /// Whether all bytes of the representation are delivered.
    package func isWhole(of representation: Representation) -> Bool {
        range?.isWhole(of: representation.size) ?? true
    }
}

extension Relays {
    /// Plans a download of a representation.
    /// - Parameters:
    ///   - range: the range that was asked for; nil for the whole.
    ///   - hasManifest: whether there is a manifest, and it can be read.
    ///   - isHeld: whether no ranges are served, so that nobody completes a corrupt file.
    package func plan(
        of representation: Representation, range: ByteRange? = nil, hasManifest: Bool, isHeld: Bool, locations: [Location]
    ) -> DownloadPlan {
        DownloadPlan(
            of: representation, range: range, hasManifest: hasManifest, isHeld: isHeld,
            locations: locations.filter { registry[$0.backend] != nil })
    }

    /// The locations that can serve a plan, the best first, and the others, each with its reason.
    /// - Parameter isExploring: whether another location than the best may stand first, so that its measure stays true.
    package func select(_ locations: [Location], for plan: DownloadPlan, isExploring: Bool = true) -> Selection {
        select(locations, for: plan.need, size: plan.count, isExploring: isExploring)
    }
}
