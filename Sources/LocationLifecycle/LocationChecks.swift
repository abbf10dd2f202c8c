package import BackendKit
package import ImageCatalog
package import ImageModel

/// A location as a client of Glance states it, before anything is stored.
package struct ProposedLocation: Sendable, Equatable {
    package let image: ImageID
    package let backend: BackendID
    /// The path in the backend.
    package let path: String
    /// The URL as the client gave it, with its fragment.
    package let url: String
    /// The formats of the representation that it holds.
    package let format: Format
    /// The size in bytes; nil if the client did not state it, as clients of Glance never do.
    package let size: Int64?
    /// The digests; empty if the client stated none.
    package let digests: DigestSet
    /// Pairs that the client stores with the location.
    package let metadata: [String: String]

    package init(
        image: ImageID, backend: BackendID, path: String, url: String, format: Format, size: Int64?, digests: DigestSet,
        metadata: [String: String]
    ) {
        self.image = image
        self.backend = backend
        self.path = path
        self.url = url
        self.format = format
        self.size = size
        self.digests = digests
        self.metadata = metadata
    }
}

/// The checks that a location must pass before it serves.
package protocol LocationChecks: Sendable {
    /// Probes a proposed location before anything is stored, and completes what the client left out.
    /// - Throws: `RegistrationError` if it cannot be a location.
    func examine(_ proposed: ProposedLocation) async throws -> NewLocation

    /// Probes a pending location and activates it if it passes, or requests a full read where one is required.
    /// - Returns: the resulting location, and the failure that leaves it pending, if any.
    /// - Throws: `CatalogError`.
    func activate(_ location: Location) async throws -> (location: Location, problem: AttemptFailure?)

    /// Activates a location as clients of Glance expect it: with a probe, or with a full read that is awaited. The size and digest
    /// that a client states count as declared; missing ones are found by the full read.
    /// - Parameter readsInFull: whether a full read is required even if a digest is declared.
    /// - Returns: the resulting location; still pending if its full read continues after a limit of ten seconds.
    /// - Throws: `RegistrationError` if it cannot serve; `CatalogError`.
    func admit(_ location: Location, readsInFull: Bool) async throws -> Location
}

/// The checks of a running server: it requests the object from its backend.
package struct BackendChecks: LocationChecks {
    private let locations: any LocationStore
    private let activation: LocationActivation
    private let probe: ObjectProbe
    private let readInFull: @Sendable (LocationID, _ limit: Duration) async -> AttemptFailure?

    /// How long a response may wait for a full read.
    private static let timeout: Duration = .seconds(10)
    /// How long the full read of an import may take. No client waits for it.
    private static let importTimeout: Duration = .seconds(86_400)

    /// - Parameters:
    ///   - activation: activates locations that pass a probe.
    ///   - probe: finds the size of objects.
    ///   - readInFull: requests a full read and waits for its end, but not longer than `limit`. Returns the failure if the object
    ///     could not be read.
    package init(
        locations: any LocationStore, activation: LocationActivation, probe: ObjectProbe,
        readInFull: @escaping @Sendable (LocationID, _ limit: Duration) async -> AttemptFailure?
    ) {
        self.locations = locations
        self.activation = activation
        self.probe = probe
        self.readInFull = readInFull
    }

    package func activate(_ location: Location) async throws -> (location: Location, problem: AttemptFailure?) {
        try await activation.activate(location)
    }

    /// Probes the object for its size. With a declared digest the location needs nothing else to serve.
    package func examine(_ proposed: ProposedLocation) async throws -> NewLocation {
        // If the server does not state the size, a full read finds it.
        let total: Int64?
        switch await probe.head(of: proposed.path, in: proposed.backend) {
        case .success(let head): total = head.total
        case .failure(let failure): throw RegistrationError(unreadable: failure)
        }
        return NewLocation(
            image: proposed.image, backend: proposed.backend, path: proposed.path, url: proposed.url, format: proposed.format,
            size: proposed.size ?? (proposed.digests.isEmpty ? nil : total), digests: proposed.digests,
            metadata: proposed.metadata)
    }

    package func admit(_ location: Location, readsInFull: Bool) async throws -> Location {
        var activated = location
        if !readsInFull {
            let (probed, problem) = try await activation.activate(location)
            if let problem, problem.reason != .sizeUnstated { throw RegistrationError(unreadable: problem) }
            guard probed.state.status == .pending else { return probed }
            activated = probed
        }
        let failure = await readInFull(location.id, readsInFull ? Self.importTimeout : Self.timeout)
        guard let read = try await locations.location(location.id) else { return activated }
        guard read.failedReads == 0 else {
            throw RegistrationError(
                kind: .invalid,
                description: "Invalid location: its content differs from the image's, or it can't be read in full.")
        }
        // A failure that says nothing about the object, such as a busy backend, postpones the read. An import does not wait for it.
        if readsInFull, !read.state.status.serves, let failure { throw RegistrationError(unreadable: failure) }
        return read
    }
}

extension RegistrationError {
    /// The refusal of a location whose object cannot be read.
    fileprivate init(unreadable failure: AttemptFailure) {
        self.init(kind: .invalid, description: "Invalid location: it can't be read (\(failure.description)).")
    }
}
