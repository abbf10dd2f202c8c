import FoundationEssentials
import Glibc

/// Images of random bytes for `--demo`.
enum DemoImages {
    private static let sizes = [("demo-4MiB.raw", 4 << 20), ("demo-16MiB.raw", 16 << 20)]

    /// Writes an image of 4 MiB and one of 16 MiB into a new directory.
    /// - Throws: `CocoaError`.
    static func write(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for (name, size) in sizes { try random(size).write(to: URL(filePath: "\(directory)/\(name)")) }
    }

    private static func random(_ count: Int) throws -> Data {
        let source = open("/dev/urandom", O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw CocoaError(.fileReadUnknown) }
        defer { close(source) }
        var bytes = Data(count: count)
        try bytes.withUnsafeMutableBytes { buffer in
            var filled = 0
            while filled < count {
                let got = read(source, buffer.baseAddress?.advanced(by: filled), count - filled)
                guard got > 0 || errno == EINTR else { throw CocoaError(.fileReadUnknown) }
                filled += max(0, got)
            }
        }
        return bytes
    }
}
