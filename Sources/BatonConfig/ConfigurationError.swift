import FoundationEssentials

/// All problems of a configuration file, so that they can be fixed in one pass.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The problems, ordered by line.
    package let problems: [ConfigurationProblem]

    package init(_ problems: [ConfigurationProblem]) {
        self.problems = problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    }

    /// One sentence for each problem, each on its own line.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// One problem of a configuration file.
package struct ConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// The path of the file as the caller named it.
    package let file: String
    /// The line, from 1; nil if the problem concerns the whole file.
    package let line: Int?
    /// The key with its parents, e.g. `relay.stall_timeout`; nil if the problem concerns no single key.
    package let key: String?
    /// The problem and the remedy.
    package let message: String

    package init(file: String, line: Int?, key: String?, message: String) {
        self.file = file
        self.line = line
        self.key = key
        self.message = message
    }

    /// The problem in one line, for example `baton.yaml:12: relay.stall_timeout: "3 parsecs" is not a duration; …`
    package var description: String {
        let position = line.map { "\(file):\($0)" } ?? file
        return "\(position): " + (key.map { "\($0): " } ?? "") + message
    }
}

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
                // A file in a directory that this user can't search appears not to exist.
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
        case .forbidden: "permission denied"
        case .other: "the read failed"
        }
    }
}
