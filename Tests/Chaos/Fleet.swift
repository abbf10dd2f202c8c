import ChaosPlan
import FaultyOrigin
import Servers

/// All that runs: the origins, the stores, and Baton in front of them.
struct Fleet {
    let storm: Storm
    let places: [Site: any Place]
    /// Why there are no others.
    let unavailable: [(site: Site, reason: String)]
    let baton: BatonContender

    /// - Parameters:
    ///   - pace: the most that one answer of an origin gets in a second, in bytes.
    ///   - sites: the places that are needed.
    init(pace: Int64?, sites: Set<Site>) async throws {
        let storm = Storm(pace: pace)
        let nothing = PatternedContent(size: 1, seed: 0)
        let origins = try (0..<3).map { location in
            try FaultyOrigin(nothing) { storm.behaviour(for: $0, at: location) }
        }
        let good = OriginsPlace(origins: origins, storm: storm)
        let directory = try TestDirectory()
        var places: [Site: any Place] = [.scripted: good]
        var unavailable: [(site: Site, reason: String)] = []
        for site in Site.allCases where sites.contains(site) && places[site] == nil {
            do {
                places[site] = try await Self.place(site, good, directory)
            } catch let error as Unavailable {
                unavailable.append((site, error.reason))
            }
        }
        var backends: [String: String] = [:]
        for (index, origin) in origins.enumerated() {
            backends["origin\(index)"] = #"driver: http, url: "\#(origin.url(""))""#
        }
        var environment: [String: String] = [:]
        for place in places.values {
            backends.merge(place.backends) { first, _ in first }
            environment.merge(place.environment) { first, _ in first }
        }
        baton = try await BatonContender(
            backends: backends, directory: directory, environment: environment, wrapper: places.values.flatMap(\.wrapper))
        self.storm = storm
        self.places = places
        self.unavailable = unavailable
    }

    private static func place(_ site: Site, _ good: OriginsPlace, _ directory: TestDirectory) async throws -> (any Place)? {
        switch site {
        case .scripted: nil
        case .nginx: try await NginxPlace(good: good)
        case .network: try await NetworkPlace(good: good)
        case .weather: try await WeatherPlace(good: good)
        case .file: try FilePlace(good: good)
        case .machine: try MachinePlace(good: good, directory: directory)
        case .swift: try await OpenStackSwiftPlace(good: good)
        }
    }
}
