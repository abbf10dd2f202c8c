package import ImageModel

/// The paths below `/baton/v1`.
///
/// An id is an `ImageID`, a `LocationID`, a text, or `idParameter` for the pattern of a route.
package enum AdminPath {
    /// The prefix of all paths.
    package static let base = "/baton/v1"
    /// The placeholder of an id in the pattern of a route.
    package static let idParameter = ":id"

    /// The configured backends: `BackendDocument`.
    package static let backends = "\(base)/backends"
    /// The files that uploads wrote: `UploadDocument`.
    package static let uploads = "\(base)/uploads"

    /// The locations of an image: GET lists `LocationDocument`, POST takes `LocationRegistration`.
    package static func locations(of image: some CustomStringConvertible) -> String { "\(base)/images/\(image)/locations" }

    /// The selection for a download: `ExplainDocument`.
    package static func explain(_ image: some CustomStringConvertible) -> String { "\(base)/images/\(image)/explain" }

    /// The direct locations of an image: `DirectDocument`.
    package static func direct(_ image: some CustomStringConvertible) -> String { "\(base)/images/\(image)/direct" }

    /// One location: GET answers `LocationDetail`, PATCH takes `LocationChange`.
    package static func location(_ id: some CustomStringConvertible) -> String { "\(base)/locations/\(id)" }

    /// The history of a location: `HistoryDocument`.
    package static func history(of location: some CustomStringConvertible) -> String {
        "\(AdminPath.location(location))/history"
    }

    /// An operation on a location: POST takes `OperationRequest` and answers `LocationDocument`.
    package static func operation(_ name: OperationName, on location: some CustomStringConvertible) -> String {
        "\(AdminPath.location(location))/\(name.rawValue)"
    }

    /// A path with a query. The values are percent-encoded.
    package static func path(_ path: String, query: [(name: AdminQuery, value: String)]) -> String {
        guard !query.isEmpty else { return path }
        let items = query.map { "\($0.name.rawValue)=\(PercentEncoding.encode($0.value))" }
        return path + "?" + items.joined(separator: "&")
    }
}

/// The names of query parameters.
package enum AdminQuery: String, Sendable, CaseIterable {
    /// The largest number of items on a page.
    case limit
    /// The item after which a page begins.
    case marker
    /// Whether only uploads are listed that no image refers to.
    case orphans
    /// The purpose of an explained download, an `ExplainDocument.Purpose`.
    case purpose = "for"
    case diskFormat = "disk_format"
    case containerFormat = "container_format"
    /// Whether the last active location of an image may be deleted.
    case force
}

/// The operations on a location: the last part of the path, and the name of the event.
package enum OperationName: String, Sendable, CaseIterable {
    case verify, disable, enable, quarantine, delete, restore

    /// The event that the operation causes.
    package var event: LocationEvent {
        switch self {
        case .verify: .verify
        case .disable: .disable
        case .enable: .enable
        case .quarantine: .quarantine
        case .delete: .delete
        case .restore: .restore
        }
    }
}
