import BackendKit

/// Selects a URL in Keystone's service catalogue.
package struct CatalogEntry: Sendable, Hashable {
    /// The interface of an endpoint.
    package enum Interface: String, Sendable, CaseIterable {
        case `public`, `internal`, admin
    }

    /// The type of the service, `object-store`.
    package let serviceType: String
    /// The region; nil if there is only one.
    package let region: String?
    package let interface: Interface

    package init(serviceType: String = "object-store", region: String? = nil, interface: Interface = .public) {
        self.serviceType = serviceType
        self.region = region
        self.interface = interface
    }

    /// A service in the catalogue.
    struct Service: Decodable {
        struct Endpoint: Decodable {
            let interface: String
            let region: String?
            let regionID: String?
            let url: String

            enum CodingKeys: String, CodingKey {
                case interface, region, url
                case regionID = "region_id"
            }
        }
        let type: String
        let endpoints: [Endpoint]?
    }

    /// The URL of the selected endpoint.
    /// - Throws: `AttemptFailure` of class `credentials` if the catalogue has no usable endpoint, or several.
    func url(in catalog: [Service]) throws(AttemptFailure) -> LocationURL {
        let all = catalog.filter { $0.type == serviceType }.flatMap { $0.endpoints ?? [] }
            .filter { $0.interface == interface.rawValue }
        let chosen = all.filter { region == nil || $0.regionID ?? $0.region == region }
        guard let endpoint = chosen.first else {
            throw Self.failure(
                "names no \(serviceType) with the interface \(interface.rawValue)\(regionPhrase); \(Self.advice)")
        }
        guard Set(chosen.map(\.url)).count == 1 else {
            throw Self.failure("names \(serviceType) in several regions: set keystone.region")
        }
        guard let url = try? LocationURL(endpoint.url), url.scheme != "file" else {
            throw Self.failure("has a URL for \(serviceType) that can't be used; set storage_url instead")
        }
        return url
    }

    private static let advice = "check keystone.region, keystone.interface and the user's roles in the project"

    private var regionPhrase: String { region.map { " in the region \($0)" } ?? "" }

    /// Credentials that lead to no account are treated like refused ones.
    private static func failure(_ text: String) -> AttemptFailure {
        AttemptFailure(.denied, .credentials, detail: "Keystone's catalogue \(text)")
    }
}
