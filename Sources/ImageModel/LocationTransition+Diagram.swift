extension LocationTransition {
    /// The whole table as a Mermaid state diagram, which docs/location-status.md shows.
    package static var diagram: String {
        var lines = ["stateDiagram-v2", "    [*] --> pending"]
        for status in LocationStatus.allCases {
            for event in LocationEvent.allCases {
                guard let transition = table[status]?[event] else { continue }
                lines.append("    \(status.rawValue) --> \(target(of: transition, from: status)): \(event.rawValue)")
            }
        }
        return (lines + ["    deleted --> [*]"]).joined(separator: "\n")
    }

    private static func target(of transition: LocationTransition, from status: LocationStatus) -> String {
        switch transition {
        case .to(let next), .suspending(let next), .replacing(let next): next.rawValue
        case .back: "status_before"
        case .verified: LocationStatus.active.rawValue
        case .stay: status.rawValue
        }
    }
}
