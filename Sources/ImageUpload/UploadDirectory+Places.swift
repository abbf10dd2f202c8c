import Glibc
import ImageModel
import NIOPosix

extension UploadDirectory {
    /// The role of a path in the directory, with symbolic links resolved.
    package enum Place: Sendable, Equatable {
        /// The path does not belong to uploads.
        case elsewhere
        /// The path is in the directory of running uploads.
        case temporary
        /// The path is that of an upload with this name, whether it exists or not.
        case file(String)
    }

    /// The role of the file at `path` below `root`. The root may be another backend's, with this directory above it, below it
    /// or behind a symbolic link in it.
    package func place(of path: String, below root: String) async throws -> Place {
        let own = self.root
        return try await threads.runIfActive { Self.place(of: path, below: root, in: own) }
    }

    private static func place(of path: String, below root: String, in own: String) -> Place {
        let directory = resolved(own)
        let file = resolved("\(root)/\(path)")
        guard file.utf8.starts(with: directory.utf8) else { return .elsewhere }
        let below = file.utf8.dropFirst(directory.utf8.count)
        guard below.first == UInt8(ascii: "/") || directory == "/" else { return .elsewhere }
        let parts = Substring(below).pathSegments.filter { !$0.isEmpty }
        guard let first = parts.first else { return .elsewhere }
        if first == temporaryName { return .temporary }
        return parts.count == 1 ? .file(first) : .elsewhere
    }

    /// Resolves the symbolic links of a path as far as it exists; the rest stays as written.
    private static func resolved(_ path: String) -> String {
        if let text = realpath(path, nil) {
            defer { free(text) }
            return String(cString: text)
        }
        guard let slash = path.lastSlash, slash > path.startIndex else { return path }
        return resolved(String(path[..<slash])) + path[slash...]
    }

    /// The finished files with their sizes, ordered by name, and all other files in the directory.
    package func files() async throws -> [(name: String, size: Int64)] {
        let root = root
        return try await threads.runIfActive {
            try Self.names(in: root).sorted().compactMap { name in
                var facts = stat()
                guard lstat("\(root)/\(name)", &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
                return (name, Int64(facts.st_size))
            }
        }
    }
}
