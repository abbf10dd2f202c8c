/// How a client reads.
package enum ClientKind: String, CaseIterable, Sendable, Codable {
    /// The whole image, as fast as it comes.
    case whole
    /// A range, as fast as it comes.
    case range
    /// The whole image, at a limited rate.
    case slow
    /// Disconnects in the middle.
    case abandoning

    /// How many clients in a hundred are of this kind.
    var share: Int {
        switch self {
        case .whole: 60
        case .range: 26
        case .slow: 8
        case .abandoning: 6
        }
    }

    /// Whether the gaps that it sees are caused by the server and not by itself.
    package var seesGaps: Bool { self == .whole || self == .range }
}
