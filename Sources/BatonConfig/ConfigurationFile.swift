import FoundationEssentials
package import ImageModel
import Yams

/// A backend's section of the file, which the reader of its driver interprets.
package struct BackendSection {
    /// The backend's id, which is the section's key.
    package let id: BackendID
    /// The keys other than `driver`.
    package let settings: Section
}

/// The inputs that a backend was read from: its section, and the contents of the files and environment variables that it names.
/// A backend is unchanged while its source is equal.
package struct BackendSource: Sendable, Equatable {
    let section: String
    let inputs: [Data]
}

/// A configuration file, read completely, including the backends.
///
/// `Backend` is the caller's type for a backend. The caller also supplies the drivers' readers, because only the executable
/// knows the drivers.
package struct ConfigurationFile<Backend> {
    /// Creates the value of a backend from its section, or records problems and returns nil.
    package typealias ReadBackend = (BackendSection, BatonConfiguration) -> Backend?

    /// Checks all backends together and records their problems.
    package typealias Comparison = ([(backend: Backend, section: BackendSection)], BatonConfiguration) -> Void

    package let configuration: BatonConfiguration
    /// The backends, in the order of the file.
    package let backends: [Backend]
    /// Settings that are valid but probably unintended, ordered by line.
    package let warnings: [ConfigurationProblem]
    /// The line of each key in the file, by its full name.
    package let lines: [String: Int]
    /// The source of each backend.
    package let sources: [BackendID: BackendSource]
    /// The full name of every key that was looked up.
    let knownKeys: Set<String>

    /// Reads the file at `path`.
    /// - Parameters:
    ///   - drivers: the drivers by their name in the file.
    ///   - compare: records problems of the backends as a whole.
    /// - Throws: `ConfigurationError` with all problems.
    package init(
        path: String, drivers: [String: ReadBackend], comparing compare: Comparison = { _, _ in }
    ) throws(ConfigurationError) {
        let data: Data
        do throws(UnreadableFile) {
            data = try UnreadableFile.contents(of: path)
        } catch {
            throw .init([.whole(path, "can't be read: \(error); give another with --config")])
        }
        guard let yaml = String(validating: data, as: UTF8.self) else {
            throw .init([.whole(path, "is not UTF-8 text")])
        }
        try self.init(yaml: yaml, named: path, drivers: drivers, comparing: compare)
    }

    /// Reads the text of a file.
    /// - Parameter file: the file's name in error messages.
    /// - Throws: `ConfigurationError` with all problems.
    package init(
        yaml: String, named file: String, drivers: [String: ReadBackend],
        comparing compare: Comparison = { _, _ in }
    ) throws(ConfigurationError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch {
            throw .init([.init(file, error)])
        }
        let log = ProblemLog(file: file)
        let sections = Section(path: "", node: root, log: log)
        var configuration = BatonConfiguration(sections)
        configuration.formerKeys = log.formerKeys
        let storage = sections.section("backends")
        let (read, sources) = Self.readBackends(storage, configuration, drivers)
        backends = read.map(\.backend)
        self.sources = sources
        if configuration.uploads.backend != nil {
            configuration.checkUploads(sections.section("uploads"), backends: storage.keys)
        }
        sections.finish()
        compare(read, configuration)
        self.configuration = configuration
        knownKeys = log.lookedUp
        lines = log.lines
        warnings = log.warnings.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
        if !log.problems.isEmpty { throw .init(log.problems) }
    }

    private static func readBackends(
        _ section: Section, _ configuration: BatonConfiguration, _ drivers: [String: ReadBackend]
    ) -> (backends: [(backend: Backend, section: BackendSection)], sources: [BackendID: BackendSource]) {
        var backends: [(backend: Backend, section: BackendSection)] = []
        var sources: [BackendID: BackendSource] = [:]
        let known = drivers.keys.sorted().joined(separator: ", ")
        for key in section.keys {
            let settings = section.section(key)
            guard isBackendID(key) else {
                section.reject(key, "is not a backend id: 1 to 64 characters a-z, 0-9, _ and -, the first a letter or a digit")
                continue
            }
            guard let name = settings.requiredString("driver", example: drivers.keys.min() ?? "http") else { continue }
            guard let read = drivers[name] else {
                settings.reject("driver", "\"\(name.prefix(64))\" is not a driver; possible: \(known)")
                continue
            }
            let part = BackendSection(id: BackendID(key), settings: settings)
            section.log.inputs = []
            if let backend = read(part, configuration) {
                backends.append((backend, part))
                sources[part.id] = BackendSource(section: section.source(of: key), inputs: section.log.inputs)
            }
            settings.finish()
        }
        return (backends, sources)
    }

    private static func isBackendID(_ text: String) -> Bool {
        let isLegal = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isLegal && (1...64).contains(text.utf8.count) && !text.hasPrefix("_") && !text.hasPrefix("-")
    }
}

extension ConfigurationProblem {
    static func whole(_ file: String, _ message: String) -> ConfigurationProblem {
        ConfigurationProblem(file: file, line: nil, key: nil, message: message)
    }

    /// Converts an error of Yams, with its line.
    init(_ file: String, _ error: any Error) {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            self.init(file: file, line: mark.line, key: nil, message: "is not valid YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.joined(separator: ", ")
            self.init(
                file: file, line: context.mark.line, key: nil,
                message: "the mapping that begins here contains a key twice: \(keys); keep one of them")
        case .reader(let problem, let offset, _, let yaml):
            let line = offset.map { yaml.prefix($0).count { $0.isNewline } + 1 }
            self.init(file: file, line: line, key: nil, message: "is not valid YAML: \(problem)")
        default:
            self = .whole(file, "can't be read as YAML: \(error)")
        }
    }
}
