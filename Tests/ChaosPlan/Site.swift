/// A kind of place in which images lie in a chaos run: what its faults strike.
package enum Site: String, CaseIterable, Sendable, Codable {
    /// Three FaultyOrigins. Faults strike at an exact byte.
    case scripted
    /// A real nginx, then a FaultyOrigin.
    case nginx
    /// A real nginx in a network of its own, then a FaultyOrigin.
    case network
    /// A real nginx behind a relay in user space, then a FaultyOrigin.
    case weather
    /// A file, then a FaultyOrigin.
    case file
    /// An object in a real Swift, then a FaultyOrigin.
    case swift
    /// Three FaultyOrigins; the fault strikes Baton's own machine.
    case machine

    /// How many locations each image has there.
    package var locations: Int {
        switch self {
        case .scripted, .machine: 3
        case .nginx, .network, .weather, .file, .swift: 2
        }
    }

    /// How many of a thousand downloads come from there.
    package var share: Int {
        switch self {
        case .scripted: 937
        case .nginx: 20
        case .network: 6
        case .weather: 8
        case .file: 22
        case .swift: 4
        case .machine: 3
        }
    }
}
