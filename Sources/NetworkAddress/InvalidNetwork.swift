/// The reason why a text is not a network, as part of a sentence.
package enum InvalidNetwork: Error, Sendable, Equatable, CustomStringConvertible {
    /// It does not begin with an address.
    case noAddress
    /// The text after the slash is not a valid length.
    case noLength(longest: Int)
    /// The address has bits set after the prefix.
    case bitsBeyondLength

    /// The problem and the remedy.
    package var description: String {
        switch self {
        case .noAddress: "is no network; write for example 10.0.0.0/8, fd00::/8 or a single address"
        case .noLength(let longest): "has no length behind its slash; write a number from 0 to \(longest)"
        case .bitsBeyondLength: "has bits of the address behind its length; set them to 0, or write a longer length"
        }
    }
}
