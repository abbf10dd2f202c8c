import BackendKit
import FormatInspection
import FoundationEssentials
import Glibc
import ImageModel

/// The image files below a directory. Hidden files and directories are ignored. Symbolic links are not followed, because they
/// can lead out of the directory. FIFOs, devices and sockets are not read.
struct DirectoryScan {
    /// A file that is served as an image.
    struct File: Equatable {
        /// The path, relative to the directory.
        let path: String
        /// The size in bytes; not 0.
        let size: Int64
        let format: DiskFormat
    }

    /// A file that looks like an image and cannot be served.
    struct Skipped: Equatable {
        let path: String
        let reason: String
    }

    /// The maximum number of images.
    static let imageLimit = 1000
    /// The maximum number of files and directories that are visited.
    static let entryLimit = 100_000
    /// The size in bytes from which a file of unknown format and name counts as a raw image. Smaller ones, such as a README, do
    /// not.
    static let unknownSize: Int64 = 1 << 20
    /// The file name extensions of raw images.
    private static let rawEndings = ["raw", "img", "iso", "dd", "bin"]
    /// The file name extensions of all images.
    private static let endings = rawEndings + ["qcow2", "qcow", "vmdk", "vdi", "vhd", "vhdx", "vpc"]

    /// The real path of the directory.
    let root: String
    /// The images, ordered by name within each directory.
    private(set) var files: [File] = []
    /// The skipped files, ordered by name within each directory.
    private(set) var skipped: [Skipped] = []
    private var entries = 0

    /// Scans a directory.
    /// - Throws: `DirectoryError`, also if there is no image.
    init(_ path: String) throws(DirectoryError) {
        guard let resolved = realpath(path, nil) else {
            throw .unusable(path, reason: errno == ENOENT ? "there is no such directory" : Self.reason(errno))
        }
        defer { free(resolved) }
        root = String(cString: resolved)
        guard root != "/" else { throw .wholeFileSystem }
        let status = Self.status(of: root)
        guard let status, Self.kind(status) == S_IFDIR else { throw .unusable(path, reason: "it is not a directory") }
        do throws(Unreadable) {
            for name in try Self.names(in: root) { try visit(name, at: root + "/" + name) }
        } catch {
            throw error.directory ?? .unusable(path, reason: error.reason)
        }
        guard !files.isEmpty else { throw .empty(path, skipped: skipped) }
    }

    /// A failure that ends the scan if `directory` is set, and otherwise skips a file or directory for `reason`.
    private struct Unreadable: Error {
        var reason = ""
        var directory: DirectoryError?
    }

    private mutating func visit(_ path: String, at full: String) throws(Unreadable) {
        entries += 1
        guard entries <= Self.entryLimit else {
            throw Unreadable(directory: .tooManyFiles(root, limit: Self.entryLimit))
        }
        guard !path.utf8.split(separator: UInt8(ascii: "/")).contains(where: { $0.first == UInt8(ascii: ".") }),
            let status = Self.status(of: full)
        else { return }
        switch Self.kind(status) {
        case S_IFDIR:
            let names: [String]
            do throws(Unreadable) {
                names = try Self.names(in: full)
            } catch {
                skipped.append(Skipped(path: path, reason: error.reason))
                return
            }
            for name in names { try visit("\(path)/\(name)", at: "\(full)/\(name)") }
        case S_IFLNK:
            if Self.isNamedLikeAnImage(path) {
                skipped.append(Skipped(path: path, reason: "symbolic links are not followed"))
            }
        case S_IFREG: try look(at: path, full, size: Int64(status.st_size))
        default:
            if Self.isNamedLikeAnImage(path) { skipped.append(Skipped(path: path, reason: "it is not a regular file")) }
        }
    }

    private mutating func look(at path: String, _ full: String, size: Int64) throws(Unreadable) {
        guard size > 0 else {
            if Self.isNamedLikeAnImage(path) { skipped.append(Skipped(path: path, reason: "it is empty")) }
            return
        }
        let found: DetectedFormat?
        switch Self.inspect(full, size: size) {
        case .success(let format): found = format
        case .failure(let failure):
            if Self.isNamedLikeAnImage(path) || size >= Self.unknownSize {
                skipped.append(Skipped(path: path, reason: failure.reason))
            }
            return
        }
        guard found != nil || Self.isNamedLikeAnImage(path) || size >= Self.unknownSize else { return }
        guard let format = Self.diskFormat(found) else {
            return skipped.append(
                Skipped(path: path, reason: "its format, \(found?.rawValue ?? "raw"), is not served: convert it with qemu-img"))
        }
        guard (try? LocationURL("file:///" + LocationURL.encode(path: path))) != nil else {
            return skipped.append(Skipped(path: path, reason: "its name can't be part of a URL"))
        }
        guard files.count < Self.imageLimit else {
            throw Unreadable(directory: .tooManyImages(root, limit: Self.imageLimit))
        }
        files.append(File(path: path, size: size, format: format))
    }

    private static func isNamedLikeAnImage(_ path: String) -> Bool {
        guard let dot = path.lastIndex(of: ".") else { return false }
        return endings.contains(path[path.index(after: dot)...].lowercased())
    }

    /// The disk format of a detected format. The file name does not matter: an `.img` file can be qcow2 or raw.
    /// - Returns: nil for a format that is not served.
    private static func diskFormat(_ found: DetectedFormat?) -> DiskFormat? {
        switch found {
        case nil: .raw
        case .qcow2: .qcow2
        case .vmdk: .vmdk
        case .vhd: .vhd
        case .vhdx: .vhdx
        case .vdi: .vdi
        case .iso: .iso
        case .qcow, .qed: nil
        }
    }

    private static func inspect(_ path: String, size: Int64) -> Result<DetectedFormat?, Unreadable> {
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return .failure(Unreadable(reason: reason(errno))) }
        defer { close(file) }
        let ending = min(size, Int64(FormatInspector.endingLength))
        guard let first = read(file, count: Int(min(size, Int64(FormatInspector.beginningLength))), at: 0),
            let last = read(file, count: Int(ending), at: size - ending)
        else { return .failure(Unreadable(reason: reason(errno))) }
        return .success(FormatInspector.format(beginning: first, ending: last))
    }

    /// Reads bytes from `offset`; fewer at the end of the file. Nil, with `errno` set, if they cannot be read.
    private static func read(_ file: Int32, count: Int, at offset: Int64) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress?.advanced(by: filled), count - filled, off_t(offset) + filled)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { return nil }
            guard got > 0 else { break }
            filled += got
        }
        return Array(bytes.prefix(filled))
    }

    private static func names(in directory: String) throws(Unreadable) -> [String] {
        guard let stream = opendir(directory) else { throw Unreadable(reason: reason(errno)) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            // A name that is not UTF-8 can neither be printed nor requested.
            if let name, name != ".", name != ".." { names.append(name) }
            guard names.count <= entryLimit else { break }
        }
        return names.sorted()
    }

    private static func status(of path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    private static func kind(_ status: stat) -> mode_t { status.st_mode & S_IFMT }

    private static func reason(_ code: Int32) -> String {
        code == EACCES ? "this user may not read it" : "it can't be read (\(String(cString: strerror(code))))"
    }
}
