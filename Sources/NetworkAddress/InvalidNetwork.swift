/// The reason why a text is not a network, as part of a sentence.
package enum InvalidNetwork: Error, Sendable, Equatable, CustomStringConvertible {
    /// The text does not begin with an address.
    case noAddress
    /// The text after the slash is not a number from 0 to `longest`.
    case noLength(longest: Int)
    /// The address has bits set after the prefix.
    case bitsBeyondLength

    /// The problem and the remedy.
    package var description: String {
        switch self {
        case .noAddress: "is not a network; write for example 10.0.0.0/8, fd00::/8 or a single address"
        case .noLength(let longest): "has no valid prefix length after the slash; write a number from 0 to \(longest)"
        case .bitsBeyondLength: "has address bits set beyond its prefix length; set them to 0, or write a longer prefix length"
        }
    }
}
