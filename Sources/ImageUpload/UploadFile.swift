import CLinux
package import FormatInspection
import Glibc
import ImageModel
import Integrity

/// One upload in progress: written under a temporary name, digested as it is written, and renamed in one step at the end. Every
/// call blocks, and only one is made at a time.
///
/// `@unchecked Sendable`: its owner makes one call after the other, each on a thread of a pool.
final class UploadFile: @unchecked Sendable {
    private let directory: String
    private let temporaryPath: String
    private var descriptor: Int32
    private let sha256 = DigestStream(.sha256)
    private let sha512 = DigestStream(.sha512)
    private let md5 = DigestStream(.md5)
    /// Inspects the bytes as they are written; nil if uploads are not inspected.
    private var inspector: FormatInspector?
    private(set) var size: Int64 = 0
    /// Whether this upload created the temporary file. A file that existed before, or was created after this one was renamed,
    /// belongs to another upload.
    private var isTemporaryOwned = false

    /// Creates an empty file.
    /// - Parameters:
    ///   - directory: the final directory.
    ///   - temporaryPath: the temporary path, on the same file system.
    ///   - mode: the upper bound of the file's permissions.
    ///   - declared: the format that the bytes must have; nil disables the check.
    init(in directory: String, temporaryPath: String, mode: FileMode, declared: Format? = nil) throws(UploadError) {
        self.directory = directory
        inspector = declared.map { FormatInspector(declared: $0) }
        self.temporaryPath = temporaryPath
        descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode.bits)
        guard descriptor >= 0 else { throw Self.error("creating a file", errno) }
        isTemporaryOwned = true
    }

    deinit { abandon() }

    func write(_ bytes: UnsafeRawBufferPointer) throws(UploadError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.error("writing", errno) }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        }
        sha256.update(bytes)
        sha512.update(bytes)
        md5.update(bytes)
        inspector?.update(bytes)
        size += Int64(bytes.count)
    }

    /// Makes the file durable and renames it to its final name. It never replaces another file.
    /// - Returns: the digests of the written bytes.
    func finish(named name: String) throws(UploadError) -> DigestSet {
        if let refusal = inspector?.finish() { throw .refusedFormat(refusal) }
        guard fsync(descriptor) == 0 else { throw Self.error("writing a file to the disk", errno) }
        guard close(descriptor) == 0 else {
            descriptor = -1
            throw Self.error("closing a file", errno)
        }
        descriptor = -1
        let path = "\(directory)/\(name)"
        guard baton_rename_new(temporaryPath, path) == 0 else {
            if errno == EEXIST { throw .exists(name: name) }
            throw Self.error("renaming a file", errno)
        }
        isTemporaryOwned = false
        do {
            try Self.synchronize(directory)
        } catch {
            unlink(path)
            throw error
        }
        return DigestSet([sha256.finish(), sha512.finish(), md5.finish()])
    }

    /// Removes the temporary file. Has no effect on a finished upload.
    func abandon() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        if isTemporaryOwned { unlink(temporaryPath) }
        isTemporaryOwned = false
    }

    /// Makes the entries of a directory durable.
    static func synchronize(_ directory: String) throws(UploadError) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw error("opening the directory", errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw error("writing the directory to the disk", errno) }
    }

    static func error(_ deed: String, _ code: Int32) -> UploadError {
        if code == ENOSPC || code == EDQUOT || code == EFBIG { return .diskFull }
        return .unusable(deed: deed, cause: String(cString: strerror(code)))
    }
}

/// The reason why an upload failed; one sentence for a person.
package enum UploadError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The upload exceeds the size limit of images.
    case tooLarge(limit: Int64)
    /// The upload exceeds the quota of the image's project.
    case overQuota(room: Int64)
    /// The number of bytes differs from the announced one.
    case wrongSize(announced: Int64, received: Int64)
    /// The bytes do not have the declared format, or refer to other files.
    case refusedFormat(FormatRefusal)
    /// The disk is full.
    case diskFull
    /// A file with that name exists.
    case exists(name: String)
    /// An upload of that name is running.
    case underWay(name: String)
    /// The directory or a file in it can't be used.
    case unusable(deed: String, cause: String)

    /// What failed, where, and the remedy.
    package var description: String {
        switch self {
        case .tooLarge(let limit):
            "The image is larger than the limit of \(limit) bytes: ask the operator to raise uploads.max_size."
        case .overQuota(let room):
            "The image is larger than the \(room) bytes that remain of its project's quota: delete images, or ask the "
                + "operator to raise quotas.bytes."
        case .wrongSize(let announced, let received):
            "\(received) bytes were received, but \(announced) were announced: upload the image again."
        case .refusedFormat(let refusal): refusal.description
        case .diskFull: "The disk for uploads is full: ask the operator to free some space, then upload the image again."
        case .exists(let name):
            "The upload directory already has a file \(name), which is not overwritten: ask the operator to check it."
        case .underWay(let name): "An upload of \(name) is already running: wait for it to end."
        case .unusable(let deed, let cause):
            "The upload directory can't be used (\(deed): \(cause)): ask the operator to check it and its permissions."
        }
    }
}
