internal import BackendKit
public import ImageCatalog
public import ImageModel
public import LocationUpkeep

/// Lets a location in when a probe finds it in order. What its bytes must be has to be declared.
public struct ProbingAdmission: LocationAdmission {
    private let activation: LocationActivation
    private let inquiry: ObjectInquiry

    /// - Parameters:
    ///   - activation: who activates what a probe found in order.
    ///   - inquiry: who asks an object for its size.
    public init(activation: LocationActivation, inquiry: ObjectInquiry) {
        self.activation = activation
        self.inquiry = inquiry
    }

    /// Asks the backend for the size if the client did not say it.
    public func examine(_ proposed: ProposedLocation) async throws -> NewLocation {
        guard !proposed.digests.isEmpty else {
            throw APIError.badRequest(
                "Invalid location: nothing says what its bytes must be. Give validation_data with os_hash_algo and os_hash_value."
            )
        }
        let size: Int64
        if let given = proposed.size {
            size = given
        } else {
            switch await inquiry.head(of: proposed.path, in: proposed.backend) {
            case .success(let head):
                guard let total = head.total else {
                    throw APIError.badRequest("Invalid location: its server does not say how large it is.")
                }
                size = total
            case .failure(let failure): throw APIError.invalidLocation(failure)
            }
        }
        return NewLocation(
            image: proposed.image, backend: proposed.backend, path: proposed.path, url: proposed.url, format: proposed.format,
            size: size, digests: proposed.digests, metadata: proposed.metadata)
    }

    /// Probes it.
    public func admit(_ location: Location) async throws -> Location {
        let (activated, problem) = try await activation.activate(location)
        if let problem { throw APIError.invalidLocation(problem) }
        return activated
    }
}

extension APIError {
    /// Glance's answer when a location can't be one.
    static func invalidLocation(_ failure: AttemptFailure) -> APIError {
        .badRequest("Invalid location: it can't be read (\(failure.description)).")
    }
}
