import FoundationEssentials
import Glibc

/// A directory of this process alone, below the one for temporary files, removed with everything in it when the server ends.
struct PrivateDirectory {
    let path: String
    /// Where images lie that are made for a demonstration.
    var images: String { "\(path)/images" }

    /// - Throws: `DirectoryError`.
    init() throws(DirectoryError) {
        let base = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(base)/baton-serve.XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw .unusable(base, reason: "no temporary directory can be made in it (\(String(cString: strerror(errno))))")
        }
        path = String(cString: made)
    }

    /// Removes it.
    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
