import HTTPServing
package import ImageCatalog
package import ImageModel

/// A location as a client of Glance gives it: a place, and perhaps what its bytes must be.
package struct ProposedLocation: Sendable, Equatable {
    /// The image it is for.
    package let image: ImageID
    /// Its backend.
    package let backend: BackendID
    /// Where in the backend.
    package let path: String
    /// The URL as it was given, with its fragment.
    package let url: String
    /// Which representation it holds.
    package let format: Format
    /// Its size in bytes; nil if the client did not say, as Glance's never do.
    package let size: Int64?
    /// Its digests; empty if the client did not say.
    package let digests: DigestSet
    /// Free words.
    package let metadata: [String: String]
}

/// Lets locations in that come through Glance's API, whose clients say little about them.
package protocol LocationAdmission: Sendable {
    /// Looks at a place before anything is stored, and finds out what the client did not say.
    /// - Throws: `APIError` when it can't be a location.
    func examine(_ proposed: ProposedLocation) async throws -> NewLocation
    /// Brings a registered location to service, as far as that is possible now: a probe, or for small objects a verification
    /// that is waited for up to a few seconds.
    /// - Parameter inFull: whether a probe is not enough, whatever was declared.
    /// - Returns: the location as it is then; still pending if its verification goes on.
    /// - Throws: `APIError` when it can't serve; it is forgotten then.
    func admit(_ location: Location, inFull: Bool) async throws -> Location
}
