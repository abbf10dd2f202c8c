/// A kind of storage for the images of a chaos run, into which faults are injected.
package enum TargetKind: String, CaseIterable, Sendable, Codable {
    /// Three FaultyOrigins. Faults hit an exact byte.
    case scripted
    /// A real nginx, then a FaultyOrigin.
    case nginx
    /// A real nginx in its own network namespace, then a FaultyOrigin.
    case network
    /// A real nginx behind a TCP forwarder, then a FaultyOrigin.
    case link
    /// A file, then a FaultyOrigin.
    case file
    /// An object in a real OpenStack Swift, then a FaultyOrigin.
    case swift
    /// Three FaultyOrigins; the fault hits Baton's own machine.
    case machine

    /// How many locations each image has there.
    package var locations: Int {
        switch self {
        case .scripted, .machine: 3
        case .nginx, .network, .link, .file, .swift: 2
        }
    }

    /// How many downloads in a thousand come from there.
    package var share: Int {
        switch self {
        case .scripted: 937
        case .nginx: 20
        case .network: 6
        case .link: 8
        case .file: 22
        case .swift: 4
        case .machine: 3
        }
    }
}
