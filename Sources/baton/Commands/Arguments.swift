public import ArgumentParser
public import BatonConfig
public import ImageModel

// Types of other modules as the command line spells them.
extension DiskFormat: ExpressibleByArgument {}
extension ContainerFormat: ExpressibleByArgument {}

extension ByteCount: ExpressibleByArgument {
    /// A number of bytes, e.g. `10MiB`.
    public init?(argument: String) { self.init(argument) }
}
