import FoundationEssentials
import Glibc

/// A temporary directory that only this user can enter. It is removed with its contents when the server ends.
struct PrivateDirectory {
    let path: String
    /// The directory of the images that `--demo` makes.
    var images: String { "\(path)/images" }

    /// Creates the directory below `TMPDIR`, or `/tmp`.
    /// - Throws: `DirectoryError`.
    init() throws(DirectoryError) {
        let base = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(base)/baton-serve.XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw .unusable(base, reason: "no temporary directory can be made in it (\(String(cString: strerror(errno))))")
        }
        path = String(cString: made)
    }

    /// Removes the directory and its contents.
    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
