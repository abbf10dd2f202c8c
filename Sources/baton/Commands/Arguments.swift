import ArgumentParser
import BatonClient
package import ImageModel

// Argument parsing for types of other modules.
extension DiskFormat: ExpressibleByArgument {}
extension ContainerFormat: ExpressibleByArgument {}

extension ByteAmount {
    /// Parses a number of bytes, e.g. `10MiB`.
    static func size(_ text: String) throws -> ByteAmount {
        guard let amount = ByteAmount(text) else { throw ValidationError("\(advice).") }
        return amount
    }

    /// Parses a rate in bytes per second, e.g. `10M` or `10M/s`.
    static func rate(_ text: String) throws -> ByteAmount {
        try size(text.hasSuffix("/s") ? String(text.dropLast(2)) : text)
    }
}
