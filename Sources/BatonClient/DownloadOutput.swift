import Glibc
package import ImageModel

/// The destination of a download, determined before the first byte is requested.
package enum DownloadOutput: Sendable, Equatable {
    /// A regular file, or an unused name. It is replaced once the content is verified. Symbolic links are resolved.
    case file(path: String)
    /// A device or a FIFO: written in place and never replaced by a rename.
    case device(path: String)
    /// A descriptor that this process inherited: written in place.
    case descriptor(Int32)

    /// Whether written bytes can't be taken back.
    package var isStream: Bool {
        if case .file = self { false } else { true }
    }

    /// Whether a path names a directory, in which the image's file is created.
    package static func isDirectory(_ path: String) -> Bool {
        if path.hasSuffix("/") { return true }
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Resolves a path by what exists there.
    /// - Parameters:
    ///   - path: as the user gave it; `-` is standard output.
    ///   - name: the file's name if the path names a directory.
    /// - Throws: `ClientError` if nothing can be written there.
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
        // The name may come from the image, which must not select a device in the directory.
        guard case .file = self else {
            throw ClientError(.file, "\(path) already contains \(name), which is not a regular file: give the path of a file.")
        }
    }

    /// The file name for an image in a directory: the image's own name, made legal.
    ///
    /// Slashes, control characters and characters that change the direction of text become `_`, and so does a leading dot. An
    /// image's name can thus select neither another directory nor a hidden file.
    package static func fileName(of name: String?, id: ImageID) -> String {
        var result = ""
        for scalar in (name ?? "").unicodeScalars {
            let isLegal = scalar != "/" && !scalar.isUnprintable
            let next = isLegal ? String(scalar) : "_"
            // Leaves room for the partial file's suffix: file systems allow 255 bytes.
            guard result.utf8.count + next.utf8.count <= 200 else { break }
            result += next
        }
        if result.utf8.first == UInt8(ascii: ".") { result = "_" + Substring(result.unicodeScalars.dropFirst()) }
        return result.isEmpty ? id.description : result
    }

    /// Resolves symbolic links one by one. Links below `/proc/self/fd` lead to open descriptors, and dangling links name the
    /// file to create.
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
            case S_IFDIR: throw ClientError(.file, "\(given) is a directory: add a slash to write the image into it.")
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

    /// Whether a path lies in a directory of open descriptors below `/proc`.
    /// - Returns: nil if it does not; else whether the descriptors are this process's.
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
    /// The file's path with symbolic links resolved; nil for a descriptor.
    package var path: String? {
        switch self {
        case .file(let path), .device(let path): path
        case .descriptor: nil
        }
    }

    /// Whether bytes written to the descriptor would be mixed into this stream. Devices that drop or copy everything, and
    /// terminals, count as well: sharing them is harmless only while nothing else is written to them.
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

/// The destination of a download's bytes. It computes their digest as they arrive.
///
/// One thread uses it at a time: first the task that prepares it, then the transfer loop's thread.
protocol DownloadSink: AnyObject, Sendable {
    /// The target that it was opened for.
    var target: DownloadTarget { get }
    /// The number of the image's bytes that are present.
    var size: Int64 { get }
    /// The offset of the next byte that it needs: `size`, or less while existing bytes are compared again.
    var offset: Int64 { get }

    /// Appends bytes at `offset`.
    func append(_ bytes: UnsafeRawBufferPointer) throws(ClientError)

    /// Starts over at offset 0.
    func restart() throws(ClientError)

    /// Compares the digest after the last byte and makes the result final.
    func complete() throws(ClientError)
}

extension ClientError {
    static func mismatch(_ computed: Digest, of target: DownloadTarget, _ consequence: String) -> ClientError {
        ClientError(
            .corrupt, "What was downloaded is not the image: its digest is \(computed), not \(target.digest). \(consequence)")
    }
}
