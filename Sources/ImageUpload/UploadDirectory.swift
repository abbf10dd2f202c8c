import Glibc
package import ImageModel
package import NIOCore
package import NIOPosix

/// The result of an upload.
package struct UploadedFile: Sendable, Equatable {
    /// The file's name in the directory.
    package let name: String
    /// The size in bytes.
    package let size: Int64
    /// The sha256, sha512 and md5.
    package let digests: DigestSet
}

/// A directory that stores uploads. A file appears under its name complete and durable, or not at all; running uploads are in
/// `.uploads` below it. Writing and digesting run on separate threads, one block at a time.
package struct UploadDirectory: Sendable {
    let root: String
    private let limit: Int64
    let mode: FileMode
    let threads: NIOThreadPool

    /// The number of bytes per write.
    private static let block = 1 << 20

    /// - Parameters:
    ///   - root: an absolute path.
    ///   - limit: the largest upload in bytes.
    ///   - mode: the upper bound of the files' permissions.
    package init(root: String, limit: Int64, mode: FileMode = .standard, threads: NIOThreadPool) {
        self.root = root
        self.limit = limit
        self.mode = mode
        self.threads = threads
    }

    static let temporaryName = ".uploads"

    var workshop: String { "\(root)/\(Self.temporaryName)" }

    /// Prepares the directory, and removes the remains of uploads that were interrupted with the service. Uploads that are
    /// running in any process are left alone.
    /// - Throws: `UploadError`.
    package func prepare() throws(UploadError) {
        if mkdir(workshop, mode.directoryBits) != 0, errno != EEXIST {
            throw UploadFile.error("creating \(workshop)", errno)
        }
        narrowTemporaryDirectory()
        for name in try Self.names(in: workshop) {
            let upload = name.hasSuffix(Self.claimSuffix) ? String(name.dropLast(Self.claimSuffix.count)) : name
            if !isUnderWay(upload) { unlink("\(workshop)/\(name)") }
        }
    }

    /// An earlier version may have made the directory readable by all. Only its owner can change that.
    private func narrowTemporaryDirectory() {
        var facts = stat()
        guard lstat(workshop, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR else { return }
        let bits = facts.st_mode & 0o777
        if bits & ~mode.directoryBits != 0 { chmod(workshop, bits & mode.directoryBits) }
    }

    /// The names of the entries of a directory.
    static func names(in path: String) throws(UploadError) -> [String] {
        guard let directory = opendir(path) else { throw UploadFile.error("reading \(path)", errno) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Stores an upload.
    /// - Parameters:
    ///   - body: the bytes.
    ///   - announced: the announced number of bytes; nil if unknown.
    ///   - quota: the number of bytes allowed in addition to `limit`; nil for no quota.
    ///   - name: the file's name, a single path component.
    ///   - declared: the format that the bytes must have; nil disables the check.
    /// - Throws: `UploadError`, and the errors of `body`. No file is left behind then.
    package func receive<Body: AsyncSequence>(
        _ body: Body, announced: Int64?, quota: Int64? = nil, named name: String, declared: Format? = nil
    ) async throws -> UploadedFile where Body.Element == ByteBuffer {
        if let announced, announced > limit { throw UploadError.tooLarge(limit: limit) }
        let (root, temporaryPath, mode) = (root, "\(workshop)/\(name)", mode)
        let file = try await threads.runIfActive {
            try UploadFile(in: root, temporaryPath: temporaryPath, mode: mode, declared: declared)
        }
        do {
            try await write(body, to: file, quota: quota)
            let size = file.size
            guard announced ?? size == size else {
                throw UploadError.wrongSize(announced: announced ?? 0, received: size)
            }
            let digests = try await threads.runIfActive { try file.finish(named: name) }
            return UploadedFile(name: name, size: size, digests: digests)
        } catch {
            try await threads.runIfActive { file.abandon() }
            throw error
        }
    }

    private func write<Body: AsyncSequence>(_ body: Body, to file: UploadFile, quota: Int64?) async throws
    where Body.Element == ByteBuffer {
        var gathered = ByteBuffer()
        var count: Int64 = 0
        for try await part in body {
            count += Int64(part.readableBytes)
            guard count <= limit else { throw UploadError.tooLarge(limit: limit) }
            if let quota, count > quota { throw UploadError.overQuota(room: quota) }
            gathered.writeImmutableBuffer(part)
            if gathered.readableBytes >= Self.block {
                let block = gathered
                try await threads.runIfActive { try block.withUnsafeReadableBytes { try file.write($0) } }
                gathered.clear(minimumCapacity: Self.block)
            }
        }
        let rest = gathered
        try await threads.runIfActive { try rest.withUnsafeReadableBytes { try file.write($0) } }
    }

    /// Deletes a finished upload durably. A missing file is not an error.
    package func remove(_ name: String) async throws {
        let root = root
        try await threads.runIfActive {
            if unlink("\(root)/\(name)") != 0, errno != ENOENT { throw UploadFile.error("deleting \(name)", errno) }
            try UploadFile.synchronize(root)
        }
    }
}

extension UploadDirectory {
    /// The role of a path in the directory, with symbolic links resolved.
    package enum PathRole: Sendable, Equatable {
        /// The path does not belong to uploads.
        case elsewhere
        /// The path is in the directory of running uploads.
        case temporary
        /// The path is that of an upload with this name, whether it exists or not.
        case file(String)
    }

    /// The role of the file at `path` below `root`. The root may be another backend's, with this directory above it, below it
    /// or behind a symbolic link in it.
    package func role(of path: String, below root: String) async throws -> PathRole {
        let own = self.root
        return try await threads.runIfActive { Self.role(of: path, below: root, in: own) }
    }

    private static func role(of path: String, below root: String, in own: String) -> PathRole {
        let directory = resolved(own)
        let file = resolved("\(root)/\(path)")
        guard file.utf8.starts(with: directory.utf8) else { return .elsewhere }
        let below = file.utf8.dropFirst(directory.utf8.count)
        guard below.first == UInt8(ascii: "/") || directory == "/" else { return .elsewhere }
        let parts = Substring(below).pathSegments.filter { !$0.isEmpty }
        guard let first = parts.first else { return .elsewhere }
        if first == temporaryName { return .temporary }
        return parts.count == 1 ? .file(first) : .elsewhere
    }

    /// Resolves the symbolic links of a path as far as it exists; the rest stays as written.
    private static func resolved(_ path: String) -> String {
        if let text = realpath(path, nil) {
            defer { free(text) }
            return String(cString: text)
        }
        guard let slash = path.lastSlash, slash > path.startIndex else { return path }
        return resolved(String(path[..<slash])) + path[slash...]
    }

    /// The finished files with their sizes, ordered by name, and all other files in the directory.
    package func files() async throws -> [(name: String, size: Int64)] {
        let root = root
        return try await threads.runIfActive {
            try Self.names(in: root).sorted().compactMap { name in
                var facts = stat()
                guard lstat("\(root)/\(name)", &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
                return (name, Int64(facts.st_size))
            }
        }
    }
}
