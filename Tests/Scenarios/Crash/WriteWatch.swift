import Foundation
import Glibc

/// Notifies a crash switch of each write to the files of a catalog, by inotify.
final class WriteWatch: Sendable {
    private let descriptor: Int32
    private let catalog: String

    /// Starts to watch.
    /// - Parameter path: the catalog's file.
    init(_ path: String) throws {
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        let url = URL(filePath: path)
        catalog = url.lastPathComponent
        guard descriptor >= 0, inotify_add_watch(descriptor, url.deletingLastPathComponent().path, UInt32(IN_MODIFY)) >= 0
        else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
    }

    deinit { close(descriptor) }

    /// Notifies the switch until it is pulled.
    func tell(_ crash: CrashSwitch) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !crash.isPulled {
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // The timeout is for a switch that another thread pulls.
            guard poll(&wait, 1, 20) > 0 else { continue }
            let count = read(descriptor, &buffer, buffer.count)
            for name in Self.names(in: buffer.prefix(max(0, count))) {
                if name == catalog { crash.checkpointed() }
                if name == catalog + "-wal" { crash.written() }
            }
        }
    }

    /// The names of files in the kernel's records: 12 bytes, the length of the padded name, the name.
    private static func names(in bytes: ArraySlice<UInt8>) -> [String] {
        var names: [String] = []
        var rest = bytes
        while rest.count >= 16 {
            let length = rest.dropFirst(12).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            names.append(String(decoding: rest.dropFirst(16).prefix(length).prefix { $0 != 0 }, as: UTF8.self))
            rest = rest.dropFirst(16 + length)
        }
        return names
    }
}
