/// The reasons why a directory cannot be served.
enum DirectoryError: Error, CustomStringConvertible {
    case unusable(String, reason: String)
    case wholeFileSystem
    case tooManyFiles(String, limit: Int)
    case tooManyImages(String, limit: Int)
    case empty(String, skipped: [DirectoryScan.Skipped])

    /// One sentence for the user.
    var description: String {
        switch self {
        case .unusable(let path, let reason): "The directory \(path) can't be served: \(reason)."
        case .wholeFileSystem:
            "The directory / is the whole file system, with every password and key in it: name the directory that holds the images."
        case .tooManyFiles(let path, let limit):
            "The directory \(path) holds more than \(limit) files: name a directory below it that holds the images."
        case .tooManyImages(let path, let limit):
            "The directory \(path) holds more than \(limit) images, the most for --dir: name a directory below it, or run baton "
                + "serve with a configuration file."
        case .empty(let path, let skipped):
            if let first = skipped.first {
                "The directory \(path) holds no image that can be served; \(first.path): \(first.reason)."
            } else {
                "The directory \(path) holds no image: put a disk image in it, or run baton serve --demo."
            }
        }
    }
}
