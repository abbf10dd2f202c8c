import FoundationEssentials
import Glibc
import ImageModel

/// The files of a catalog on disk, and who may read them. SQLite gives those beside the catalog the permissions of the catalog itself.
enum CatalogFiles {
    /// Makes the catalog's directory and an empty file, if they are not there, and takes from files that are what `mode` has not.
    ///
    /// A file that is there is never opened: closing a descriptor would end the locks that other connections of this process hold on it.
    static func prepare(_ path: String, _ mode: FileMode) throws {
        try FileManager.default.createDirectory(
            at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true,
            attributes: [.posixPermissions: Int(mode.directoryBits)])
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode.bits)
        if descriptor >= 0 { close(descriptor) }
        for file in [path, path + "-wal", path + "-shm"] { narrow(file, mode) }
    }

    /// Who can't change the permissions of a file does not own it, and leaves that to its owner.
    private static func narrow(_ file: String, _ mode: FileMode) {
        var facts = stat()
        guard stat(file, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_mode & 0o777 & ~mode.bits != 0 else {
            return
        }
        chmod(file, facts.st_mode & 0o777 & mode.bits)
    }
}
