import FoundationEssentials
import Glibc

/// Checks whether a server could listen at an address, by binding it for a moment.
enum ListenCheck {
    /// - Returns: nil, or the errno value.
    static func error(at host: String, _ port: Int) -> Int32? {
        guard port > 0 else { return nil }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let found else { return EADDRNOTAVAIL }
        defer { freeaddrinfo(found) }
        let descriptor = socket(found.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        // As in the server: recently closed connections do not block the port.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        return bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 ? nil : errno
    }
}

/// The process that listens at a port, as far as this user may know (proc(5)).
struct PortHolder {
    let processID: Int32
    let name: String
    let isBaton: Bool

    init?(port: Int) {
        let sockets = Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap { Self.listening(at: port, in: $0) })
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for process in processes.compactMap({ Int32($0) }) where Self.holds(sockets, process) {
            processID = process
            let name = (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)) ?? "?"
            self.name = String(name.prefix { $0 != "\n" })
            let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")) ?? ""
            // The executable may have been replaced since it was started.
            isBaton = program.hasSuffix("/baton") || program.hasSuffix("/baton (deleted)")
            return
        }
        return nil
    }

    /// The link targets of descriptors of such sockets.
    private static func listening(at port: Int, in table: String) -> [String] {
        let text = (try? String(contentsOfFile: table, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[3] == "0A", let digits = fields[1].split(separator: ":").last,
                Int(digits, radix: 16) == port
            else { return nil }
            return "socket:[\(fields[9])]"
        }
    }

    private static func holds(_ sockets: Set<String>, _ process: Int32) -> Bool {
        let folder = "/proc/\(process)/fd"
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return descriptors.contains { descriptor in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(descriptor)")).map(sockets.contains)
                ?? false
        }
    }
}
