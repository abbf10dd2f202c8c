import BatonConfig
import FoundationEssentials
import Glibc
import HTTPServing
import ImageCatalog
import ImageModel

/// The problems of a configuration on this machine, beyond those of the file itself. The checks change nothing.
struct MachineCheck {
    private let file: ConfigurationFile<ConfiguredBackend>
    private let name: String
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [ConfigurationProblem] = []

    /// Runs all checks.
    /// - Parameter name: the file's name in messages.
    init(of file: ConfigurationFile<ConfiguredBackend>, named name: String) {
        self.file = file
        self.name = name
        checkRoots()
        checkCatalog()
        checkPort()
    }

    private func item(_ key: String, _ message: String) -> ConfigurationProblem {
        ConfigurationProblem(file: name, line: file.lines[key], key: key, message: message)
    }

    private mutating func checkRoots() {
        var seen: [(path: String, id: String)] = []
        for backend in file.backends {
            guard let root = backend.root else { continue }
            let key = "backends.\(backend.id).root"
            guard let path = Self.realPath(of: root) else {
                problems.append(item(key, "\(root) can't be used: \(String(cString: strerror(errno)))"))
                continue
            }
            guard Self.isDirectory(path) else {
                problems.append(item(key, "\(root) is not a directory"))
                continue
            }
            if path == "/" {
                problems.append(item(key, "\(root) leads to the whole file system: name the directory of the images"))
            }
            if access(path, R_OK | X_OK) != 0 { problems.append(item(key, "\(root) is not readable for this user")) }
            if backend.id == file.configuration.uploads.backend, access(path, W_OK | X_OK) != 0 {
                problems.append(item(key, "\(root) is not writable for this user, but uploads are stored there"))
            }
            if let duplicate = seen.first(where: { $0.path == path }) {
                problems.append(item(key, "\(root) is also the directory of the backend \(duplicate.id): remove one of them"))
            } else if let outer = seen.first(where: { path.hasPrefix($0.path + "/") || $0.path.hasPrefix(path + "/") }) {
                warnings.append(item(key, "\(root) overlaps with the directory of the backend \(outer.id)"))
            }
            seen.append((path, backend.id.name))
        }
        guard let catalog = Self.realPath(of: file.configuration.catalog) else { return }
        for root in seen where catalog.hasPrefix(root.path == "/" ? "/" : root.path + "/") {
            warnings.append(item("catalog", "is in the directory of the backend \(root.id), whose files can be downloaded"))
        }
    }

    private mutating func checkCatalog() {
        let path = file.configuration.catalog
        if access(path, F_OK) == 0 {
            do {
                try SQLiteCatalog.check(path: path)
            } catch {
                return problems.append(item("catalog", "\(error)"))
            }
            if access(path, R_OK | W_OK) != 0 {
                problems.append(item("catalog", "\(path) is not readable and writable for this user"))
            }
            return
        }
        // The catalog is created at the first start, with missing directories.
        var directory = Self.directory(of: path)
        while directory != ".", access(directory, F_OK) != 0, errno == ENOENT { directory = Self.directory(of: directory) }
        guard Self.isDirectory(directory) else {
            return problems.append(
                item("catalog", "\(path) can't be created: \(directory) is not a directory, or this user may not enter it"))
        }
        if access(directory, W_OK | X_OK) != 0 {
            problems.append(item("catalog", "\(path) can't be created: \(directory) is not writable for this user"))
        }
    }

    private mutating func checkPort() {
        let listen = file.configuration.server.listen
        if let path = listen.socketFile { return checkSocketDirectory(of: path) }
        guard let error = ListenCheck.error(at: listen.host, listen.port) else { return }
        let sentence = "\(ListenError(.address(host: listen.host, port: listen.port), errnoCode: error))"
        let holder = error == EADDRINUSE ? PortHolder(port: listen.port) : nil
        guard let holder else { return problems.append(item("server.listen", sentence)) }
        if holder.isBaton {
            warnings.append(
                item("server.listen", "\(listen) is in use by a running Baton server, process \(holder.processID)"))
        } else {
            problems.append(item("server.listen", "\(sentence) Process \(holder.processID), \(holder.name), uses it."))
        }
    }

    private mutating func checkSocketDirectory(of path: String) {
        let directory = Self.directory(of: path)
        guard !Self.isDirectory(directory) || access(directory, W_OK | X_OK) != 0 else { return }
        let target = ListenTarget.socketFile(path: path, mode: 0)
        problems.append(
            item("server.listen", "\(ListenError(target, errnoCode: Self.isDirectory(directory) ? EACCES : ENOENT))"))
    }

    private static func realPath(of path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

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
        // As the server does, so that recently closed connections do not block the port.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        return bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 ? nil : errno
    }
}

/// The process that listens at a TCP port, if this user may read its descriptors (proc(5)).
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

    /// The link targets of the descriptors of sockets that listen at the port, e.g. `socket:[12345]`.
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
