import BackendKit
package import ImageModel
package import LocationSelection

/// The bytes that a download delivers, and what it requires of a location.
///
/// A whole download is verified by its digest. A range is verified by the digests of its chunks, or comes from a location that was read
/// in full and has not changed since. If neither is possible, every range is ignored and the whole image is sent: a client that gets
/// one range expects to get the others.
package struct DownloadPlan: Sendable, Equatable {
    /// The bytes to deliver; nil for the whole, which is answered without a range.
    package let range: ByteRange?
    /// The number of those bytes.
    package let count: Int64
    /// What it needs of a location.
    package let requirement: Selection.Requirement
    /// What a range of the representation needs of a location, whether or not ranges are served now.
    package let rangeRequirement: Selection.Requirement
    /// Whether ranges of the representation are served.
    package let servesRanges: Bool
    /// Whether a range was requested and is not served.
    package let isRangeIgnored: Bool

    /// - Parameters:
    ///   - range: the requested range; nil for the whole.
    ///   - hasManifest: whether a readable manifest exists.
    ///   - isHeld: whether ranges are withheld because a client could complete a corrupt file with one: the representation is or
    ///     recently was on integrity hold, or a client may have received unverified bytes of it.
    ///   - locations: those of the representation whose backends are configured.
    package init(
        of representation: Representation, range: ByteRange? = nil, hasManifest: Bool, isHeld: Bool, locations: [Location]
    ) {
        rangeRequirement = hasManifest ? .whole : .range
        servesRanges = !isHeld && (hasManifest || locations.contains(where: \.servesVerifiedRanges))
        if let range, servesRanges {
            self.range = range
            count = range.count
            // A range of all bytes is verified as a whole, so any location can serve it.
            requirement = range.isWhole(of: representation.size) ? .whole : rangeRequirement
            isRangeIgnored = false
        } else {
            self.range = nil
            count = representation.size
            requirement = .whole
            isRangeIgnored = range != nil
        }
    }

    private init(whole plan: DownloadPlan, of representation: Representation) {
        range = nil
        count = representation.size
        requirement = .whole
        rangeRequirement = plan.rangeRequirement
        servesRanges = plan.servesRanges
        isRangeIgnored = plan.range != nil
    }

    /// The plan of a whole download, for a range that no location can serve.
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
    ///   - range: the requested range; nil for the whole.
    ///   - hasManifest: whether a readable manifest exists.
    ///   - isHeld: whether ranges are withheld because a client could complete a corrupt file with one.
    package func downloadPlan(
        of representation: Representation, range: ByteRange? = nil, hasManifest: Bool, isHeld: Bool, locations: [Location]
    ) -> DownloadPlan {
        DownloadPlan(
            of: representation, range: range, hasManifest: hasManifest, isHeld: isHeld,
            locations: locations.filter { registry[$0.backend] != nil })
    }

    /// The locations that can serve a plan, the best first, and the others, each with its reason.
    /// - Parameter isExploring: whether a location other than the best may be ranked first to keep its measurement current.
    package func select(_ locations: [Location], for plan: DownloadPlan, isExploring: Bool = true) -> Selection {
        select(locations, for: plan.requirement, size: plan.count, isExploring: isExploring)
    }
}
