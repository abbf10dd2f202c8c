import FoundationEssentials

/// The reason why a file that the configuration needs can't be read.
enum UnreadableFile: Error, CustomStringConvertible {
    case missing
    case directory
    case forbidden
    case other

    /// Reads a whole file.
    static func contents(of path: String) throws(UnreadableFile) -> Data {
        do {
            return try Data(contentsOf: URL(filePath: path))
        } catch {
            var isDirectory = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
                // If the parent directory can't be searched, the file seems not to exist.
                let isForbidden = (error as? CocoaError)?.code == .fileReadNoPermission
                throw isForbidden ? UnreadableFile.forbidden : UnreadableFile.missing
            }
            if isDirectory { throw UnreadableFile.directory }
            throw FileManager.default.isReadableFile(atPath: path) ? UnreadableFile.other : UnreadableFile.forbidden
        }
    }

    var description: String {
        switch self {
        case .missing: "there is no such file"
        case .directory: "it is a directory"
        case .forbidden: "this user may not"
        case .other: "reading it fails"
        }
    }
}
