import BackendKit
import HTTPServing
package import ImageCatalog
package import ImageModel
package import LocationUpkeep

/// Lets a location in as Glance's clients expect it: what they say of its bytes is taken for declared, and what they don't say is
/// read. A small object is verified by the time they are answered; a large one comes to serve behind the answer.
package struct VerifyingAdmission: LocationAdmission {
    private let catalog: any CatalogStore
    private let activation: LocationActivation
    private let verifications: VerificationQueue
    private let probe: ObjectProbe

    /// How long an answer may wait for a full read.
    private static let timeout: Duration = .seconds(10)
    /// How long an import, for which nobody waits, may take to be read.
    private static let importTimeout: Duration = .seconds(86_400)

    /// - Parameters:
    ///   - activation: who activates what is in order.
    ///   - verifications: who reads in full what nobody has declared.
    ///   - probe: who asks an object for its size.
    package init(
        catalog: any CatalogStore, activation: LocationActivation, verifications: VerificationQueue, probe: ObjectProbe
    ) {
        self.catalog = catalog
        self.activation = activation
        self.verifications = verifications
        self.probe = probe
    }

    /// Asks the backend for the size; with a declared digest it is all that is needed to serve.
    package func examine(_ proposed: ProposedLocation) async throws -> NewLocation {
        // Where its server does not say, a full read finds it out.
        let total: Int64?
        switch await probe.head(of: proposed.path, in: proposed.backend) {
        case .success(let head): total = head.total
        case .failure(let failure): throw APIError.invalidLocation(failure)
        }
        return NewLocation(
            image: proposed.image, backend: proposed.backend, path: proposed.path, url: proposed.url, format: proposed.format,
            size: proposed.size ?? (proposed.digests.isEmpty ? nil : total), digests: proposed.digests,
            metadata: proposed.metadata)
    }

    /// Probes it, or waits for its full read.
    package func admit(_ location: Location, inFull: Bool) async throws -> Location {
        var activated = location
        if !inFull {
            let (probed, problem) = try await activation.activate(location)
            if let problem, problem.reason != .sizeUnstated { throw APIError.invalidLocation(problem) }
            guard probed.state.status == .pending else { return probed }
            activated = probed
        }
        await verifications.verify(location.id, within: inFull ? Self.importTimeout : Self.timeout)
        guard let read = try await catalog.location(location.id) else { return activated }
        guard read.failedReads == 0 else {
            throw APIError.badRequest("Invalid location: it was read, and its content is not the image's or can't be read.")
        }
        return read
    }
}

extension APIError {
    /// Glance's answer when a location can't be one.
    static func invalidLocation(_ failure: AttemptFailure) -> APIError {
        .badRequest("Invalid location: it can't be read (\(failure.description)).")
    }
}
