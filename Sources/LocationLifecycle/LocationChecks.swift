package import BackendKit
package import ImageCatalog
package import ImageModel

/// The checks that a location must pass before it serves.
package protocol LocationChecks: Sendable {
    /// Probes a location before anything is stored.
    /// - Returns: the location. If a digest is known and the client left the size out, it has the size that the probe found.
    /// - Throws: `RegistrationError` if it cannot be a location.
    func examine(_ new: NewLocation) async throws -> NewLocation

    /// Probes a pending location and activates it if it passes, or requests a full read where one is required.
    /// - Returns: the resulting location, and the failure that leaves it pending, if any.
    /// - Throws: `CatalogError`.
    func activate(_ location: Location) async throws -> (location: Location, failure: AttemptFailure?)

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

    package func activate(_ location: Location) async throws -> (location: Location, failure: AttemptFailure?) {
        try await activation.activate(location)
    }

    /// Probes the object. A size that the client left out is added if a digest is known: with both the location needs nothing
    /// else to serve.
    package func examine(_ new: NewLocation) async throws -> NewLocation {
        switch await probe.head(of: new.path, in: new.backend) {
        case .success(let head):
            var completed = new
            // If the server does not state the size, a full read finds it.
            if completed.size == nil, !completed.digests.isEmpty { completed.size = head.total }
            return completed
        case .failure(let failure): throw RegistrationError(unreadable: failure)
        }
    }

    package func admit(_ location: Location, readsInFull: Bool) async throws -> Location {
        var activated = location
        if !readsInFull {
            let (probed, failure) = try await activation.activate(location)
            if let failure, failure.reason != .sizeUnstated { throw RegistrationError(unreadable: failure) }
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
