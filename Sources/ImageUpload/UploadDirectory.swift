internal import Glibc
public import ImageModel
public import NIOCore
public import NIOPosix

/// What an upload became.
public struct UploadedFile: Sendable, Equatable {
    /// Its name in the directory.
    public let name: String
    /// Its size in bytes.
    public let size: Int64
    /// Its sha256, sha512 and md5.
    public let digests: DigestSet
}

/// A directory that takes uploads. A file appears in it under its name whole and lasting, or not at all; what is under way lies
/// in `.uploads` below it. Writing and digesting happen on threads of their own, a block at a time.
public struct UploadDirectory: Sendable {
    private let root: String
    private let limit: Int64
    let threads: NIOThreadPool

    /// How many bytes are written in one go.
    private static let block = 1 << 20

    /// - Parameters:
    ///   - root: an absolute path.
    ///   - limit: the most bytes of one upload.
    public init(root: String, limit: Int64, threads: NIOThreadPool) {
        self.root = root
        self.limit = limit
        self.threads = threads
    }

    var workshop: String { root + "/.uploads" }

    /// Makes the directory ready, and clears away what uploads left in it that were cut off with the service. Those that run, in any
    /// process, are left alone.
    /// - Throws: `UploadError`.
    public func prepare() throws(UploadError) {
        if mkdir(workshop, 0o755) != 0, errno != EEXIST {
            throw UploadFile.error("creating \(workshop)", errno)
        }
        guard let directory = opendir(workshop) else { throw UploadFile.error("reading \(workshop)", errno) }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let upload = name.hasSuffix(Self.claimSuffix) ? String(name.dropLast(Self.claimSuffix.count)) : name
            if name != ".", name != "..", !isUnderWay(upload) { unlink("\(workshop)/\(name)") }
        }
    }

    /// Takes an upload in.
    /// - Parameters:
    ///   - body: its bytes as they come.
    ///   - announced: how many there should be, if anybody said so.
    ///   - name: what the file shall be called; a single part of a path.
    ///   - declared: the format that the bytes must be of; nil where that is not looked at.
    /// - Throws: `UploadError`, and what `body` throws; nothing is left behind then.
    public func receive<Body: AsyncSequence>(
        _ body: Body, announced: Int64?, named name: String, declared: Format? = nil
    ) async throws -> UploadedFile where Body.Element == ByteBuffer {
        if let announced, announced > limit { throw UploadError.tooLarge(limit: limit) }
        let (root, temporaryPath) = (root, "\(workshop)/\(name)")
        let file = try await threads.runIfActive {
            try UploadFile(in: root, temporaryPath: temporaryPath, declared: declared)
        }
        do {
            try await write(body, to: file)
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

    private func write<Body: AsyncSequence>(_ body: Body, to file: UploadFile) async throws
    where Body.Element == ByteBuffer {
        var gathered = ByteBuffer()
        var count: Int64 = 0
        for try await part in body {
            count += Int64(part.readableBytes)
            guard count <= limit else { throw UploadError.tooLarge(limit: limit) }
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

    /// Takes a finished upload back, of which the catalog came to know nothing.
    public func remove(_ name: String) async throws {
        let path = "\(root)/\(name)"
        try await threads.runIfActive { _ = unlink(path) }
    }
}
