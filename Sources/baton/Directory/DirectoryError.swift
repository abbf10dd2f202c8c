/// The reasons why a directory cannot be served.
enum DirectoryError: Error, CustomStringConvertible {
    case unusable(String, reason: String)
    case wholeFileSystem
    case tooManyFiles(String, limit: Int)
    case tooManyImages(String, limit: Int)
    case empty(String, skipped: [DirectoryScan.Skipped])

    /// One sentence: what is wrong, and what to do.
    var description: String {
        switch self {
        case .unusable(let path, let reason): "The directory \(path) can't be served: \(reason)."
        case .wholeFileSystem:
            "The directory / is the whole file system, including its passwords and keys: name the directory of the images."
        case .tooManyFiles(let path, let limit):
            "The directory \(path) contains more than \(limit) files: name the directory below it that contains the images."
        case .tooManyImages(let path, let limit):
            "The directory \(path) contains more than \(limit) images, the limit of --dir: name a directory below it, or run "
                + "baton serve with a configuration file."
        case .empty(let path, let skipped):
            if let first = skipped.first {
                "The directory \(path) contains no image that can be served; \(first.path): \(first.reason)."
            } else {
                "The directory \(path) contains no image: put a disk image in it, or run baton serve --demo."
            }
        }
    }
}
