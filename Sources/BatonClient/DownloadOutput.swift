import Glibc
package import ImageModel

/// What the path given for a download leads to, decided before the first byte is asked for.
package enum DownloadOutput: Sendable, Equatable {
    /// A regular file, or a name that is free. It is replaced once the content is verified. Symbolic links are resolved.
    case file(path: String)
    /// A device or a FIFO: opened, written in place, and never renamed over.
    case device(path: String)
    /// A descriptor that this process was started with: written in place.
    case descriptor(Int32)

    /// Whether bytes leave as they come, without a way back.
    package var isStream: Bool {
        if case .file = self { false } else { true }
    }

    /// Whether a path names a directory, which the image's file goes into.
    package static func isDirectory(_ path: String) -> Bool {
        if path.hasSuffix("/") { return true }
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Looks at what is there.
    /// - Parameters:
    ///   - path: as the user gave it; `-` is standard output.
    ///   - name: what the file is called where the path names a directory.
    /// - Throws: `ClientError` when nothing can be written there.
    package init(_ path: String, named name: String) throws(ClientError) {
        if path == "-" {
            self = try Self.descriptor(STDOUT_FILENO, path)
            return
        }
        guard Self.isDirectory(path) else {
            self = try Self.following(path)
            return
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw .file("the directory \(path) can't be used") }
        self = try Self.following(path.utf8.last == UInt8(ascii: "/") ? path + name : "\(path)/\(name)")
        // The name may come from the image: it must not choose a device that happens to lie in the directory.
        guard case .file = self else {
            throw ClientError(.file, "\(path) already holds a \(name) that is no regular file: give the file's own path.")
        }
    }

    /// The name of an image's file in a directory: the image's own name, as far as it can be one.
    ///
    /// A slash, a control character, or what changes the direction of text becomes `_`, and so does a leading dot: an image's
    /// name must choose neither another directory nor a hidden file.
    package static func fileName(of name: String?, id: ImageID) -> String {
        var result = ""
        for scalar in (name ?? "").unicodeScalars {
            let isLegal = scalar != "/" && !scalar.isUnprintable
            let next = isLegal ? String(scalar) : "_"
            // Room for the end of the partial file's name; file systems allow 255 bytes.
            guard result.utf8.count + next.utf8.count <= 200 else { break }
            result += next
        }
        if result.utf8.first == UInt8(ascii: ".") { result = "_" + Substring(result.unicodeScalars.dropFirst()) }
        return result.isEmpty ? id.description : result
    }

    /// Follows symbolic links by hand: those of `/proc/self/fd` lead to open descriptors, and those that lead nowhere name the
    /// file to make.
    private static func following(_ given: String) throws(ClientError) -> DownloadOutput {
        var path = given
        for _ in 0..<40 {
            if let isOwn = liesAmongDescriptors(path) {
                guard isOwn, let number = Int32(lastComponent(of: path)) else { return .device(path: path) }
                return try descriptor(number, given)
            }
            var status = stat()
            guard lstat(path, &status) == 0 else {
                guard errno == ENOENT else { throw .file("\(given) can't be used") }
                return .file(path: path)
            }
            switch status.st_mode & S_IFMT {
            case S_IFREG: return .file(path: path)
            case S_IFLNK: path = try target(of: path)
            case S_IFCHR, S_IFBLK, S_IFIFO: return .device(path: path)
            case S_IFDIR: throw ClientError(.file, "\(given) is a directory: end it with a slash to put the image into it.")
            default: throw ClientError(.file, "\(given) is a socket, which can't be written to like a file.")
            }
        }
        errno = ELOOP
        throw .file("\(given) can't be used")
    }

    private static func target(of link: String) throws(ClientError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(link, &buffer, buffer.count)
        guard count > 0 else { throw .file("the symbolic link \(link) can't be read") }
        let target = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return target.hasPrefix("/") ? target : directory(of: link) + "/" + target
    }

    /// - Returns: nil unless the path lies where the kernel shows the open descriptors of a process; else whether it is this one.
    private static func liesAmongDescriptors(_ path: String) -> Bool? {
        guard let resolved = realpath(directory(of: path), nil) else { return nil }
        defer { free(resolved) }
        let directory = String(cString: resolved)
        guard directory.hasPrefix("/proc/"), directory.hasSuffix("/fd") else { return nil }
        return directory.hasPrefix("/proc/\(getpid())/")
    }

    private static func descriptor(_ number: Int32, _ given: String) throws(ClientError) -> DownloadOutput {
        let flags = fcntl(number, F_GETFL)
        guard flags >= 0, flags & O_ACCMODE != O_RDONLY else {
            throw ClientError(.file, "\(given) is not open for writing.")
        }
        return .descriptor(number)
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastSlash else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func lastComponent(of path: String) -> Substring {
        path.lastSlash.map { path[path.utf8.index(after: $0)...] } ?? path[...]
    }
}

extension DownloadOutput {
    /// The file's path, symbolic links resolved; nil for a descriptor, which has none.
    package var path: String? {
        switch self {
        case .file(let path), .device(let path): path
        case .descriptor: nil
        }
    }

    /// Whether what is written to that descriptor gets between the bytes of this stream. Devices that drop or copy everything, and
    /// terminals, are shared without harm only as long as nobody else writes; so they count.
    package func isSameFile(as descriptor: Int32) -> Bool {
        var own = stat()
        var other = stat()
        let isThere =
            switch self {
            case .file: false
            case .device(let path): stat(path, &own) == 0
            case .descriptor(let number): fstat(number, &own) == 0
            }
        guard isThere, fstat(descriptor, &other) == 0 else { return false }
        return own.st_dev == other.st_dev && own.st_ino == other.st_ino
    }
}
