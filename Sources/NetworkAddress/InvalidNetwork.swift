/// What is wrong with a text that should name a network; a part of a sentence for a person.
package enum InvalidNetwork: Error, Sendable, Equatable, CustomStringConvertible {
    /// It begins with no address.
    case noAddress
    /// What follows the slash is no length.
    case noLength(longest: Int)
    /// The address has bits set behind the length.
    case bitsBeyondLength

    /// What, and what would be right.
    package var description: String {
        switch self {
        case .noAddress: "is no network; write for example 10.0.0.0/8, fd00::/8 or a single address"
        case .noLength(let longest): "has no length behind its slash; write a number from 0 to \(longest)"
        case .bitsBeyondLength: "has bits of the address behind its length; set them to 0, or write a longer length"
        }
    }
}
