import FoundationEssentials
import Glibc
import ImageModel

/// The files of a catalog on disk, and their permissions. SQLite gives its companion files the permissions of the catalog.
enum CatalogFiles {
    /// Creates the catalog's directory and an empty file if they do not exist, and removes permissions beyond `mode` from
    /// existing files.
    ///
    /// An existing file is never opened: closing its descriptor would release the locks that other connections of this process
    /// hold on it.
    static func prepare(_ path: String, _ mode: FileMode) throws {
        try FileManager.default.createDirectory(
            at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true,
            attributes: [.posixPermissions: Int(mode.directoryBits)])
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode.bits)
        if descriptor >= 0 { close(descriptor) }
        for file in [path, path + "-wal", path + "-shm"] { narrow(file, mode) }
    }

    /// Removes permissions from a file. A process that may not change them is not the owner, and leaves the file to its owner.
    private static func narrow(_ file: String, _ mode: FileMode) {
        var facts = stat()
        guard stat(file, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_mode & 0o777 & ~mode.bits != 0 else {
            return
        }
        chmod(file, facts.st_mode & 0o777 & mode.bits)
    }
}
