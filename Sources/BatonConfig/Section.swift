import FoundationEssentials
import Yams

/// One mapping of the file, read key by key. A getter returns its default if the key is missing or invalid. Problems are
/// recorded, so that one pass over the file finds all of them.
package final class Section {
    /// The full name of the section, e.g. `backends.north`; empty for the whole file.
    package let path: String
    let log: ProblemLog
    private let line: Int?
    private var entries: [String: Node] = [:]
    private var lines: [String: Int] = [:]
    private var lookedUp: [String] = []

    init(path: String, node: Node?, log: ProblemLog) {
        self.path = path
        self.log = log
        line = node?.mark?.line
        guard let node, !node.isNothing else { return }
        guard let mapping = node.mapping else {
            log.note(line: line, key: path.isEmpty ? nil : path, "must be a mapping of keys to values")
            return
        }
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                log.note(line: key.mark?.line, key: nil, "a key must be plain text")
                continue
            }
            entries[name] = value
            lines[name] = key.mark?.line
            log.lines[self.name(of: name)] = key.mark?.line
        }
    }

    /// The keys that are present, in the order of their lines.
    package var keys: [String] { entries.keys.sorted { (lines[$0] ?? 0, $0) < (lines[$1] ?? 0, $1) } }

    func name(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// Records a problem of one key.
    /// - Parameter message: the problem and the remedy, as a continuation of `key: `.
    package func reject(_ key: String, _ message: String) {
        log.note(line: lines[key] ?? line, key: name(of: key), message)
    }

    /// Records a warning about a setting that is valid but probably unintended.
    /// - Parameter message: the problem and the remedy, as a continuation of `key: `.
    package func warn(_ key: String, _ message: String) {
        log.warn(line: lines[key] ?? line, key: name(of: key), message)
    }

    func take(_ key: String) -> Node? {
        if !lookedUp.contains(key) { lookedUp.append(key) }
        log.lookedUp.insert(name(of: key))
        guard let node = entries[key], !node.isNothing else { return nil }
        return node
    }

    /// The YAML below a key, serialized in one canonical form.
    func source(of key: String) -> String { entries[key].flatMap { try? Yams.serialize(node: $0) } ?? "" }

    /// The scalar value of a key; nil if the key is missing, or if its value is of another kind, which is recorded as a
    /// problem.
    func text(_ key: String) -> String? {
        guard let node = take(key) else { return nil }
        guard let scalar = node.scalar else {
            reject(key, "must be a single value")
            return nil
        }
        return scalar.string
    }

    /// The section below a key; an empty one if the key is missing.
    package func section(_ key: String) -> Section {
        Section(path: name(of: key), node: take(key), log: log)
    }

    /// The section below a key that had the name `former` in earlier versions.
    package func section(_ key: String, formerly former: String) -> Section {
        accept(former, insteadOf: key)
        return section(key)
    }

    /// Reads the former name of a key as the key itself, and records a warning with the present name.
    package func accept(_ former: String, insteadOf key: String) {
        guard let value = entries[former] else { return }
        if entries[key] != nil {
            reject(former, "is the former name of \(key), which is also set; remove \(former)")
        } else {
            log.noteFormer(line: lines[former], key: name(of: former), "is the former name of \(key); write \(key)")
            entries[key] = value
            lines[key] = lines[former]
            log.lines[name(of: key)] = lines[former]
        }
        entries[former] = nil
    }

    /// Records a problem for every key that was never looked up.
    package func finish() {
        for key in keys where !lookedUp.contains(key) {
            let nearest = lookedUp.min { $0.distance(to: key) < $1.distance(to: key) }
            let guess = nearest.flatMap { $0.distance(to: key) <= 2 ? "; did you mean \($0)?" : nil }
            reject(key, "no such key" + (guess ?? "; possible: \(lookedUp.sorted().joined(separator: ", "))"))
        }
    }
}

/// The problems and warnings recorded while one file is read.
final class ProblemLog {
    let file: String
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [ConfigurationProblem] = []
    /// The warnings about former names of keys.
    private(set) var formerKeys: [ConfigurationProblem] = []
    /// The line of each key, by its full name.
    var lines: [String: Int] = [:]
    /// The full name of every key that was looked up.
    var lookedUp: Set<String> = []
    /// The contents of the named files and environment variables.
    var inputs: [Data] = []

    init(file: String) { self.file = file }

    func note(line: Int?, key: String?, _ message: String) {
        problems.append(ConfigurationProblem(file: file, line: line, key: key, message: message))
    }

    func noteFormer(line: Int?, key: String, _ message: String) {
        warn(line: line, key: key, message)
        formerKeys.append(ConfigurationProblem(file: file, line: line, key: key, message: message))
    }

    func warn(line: Int?, key: String?, _ message: String) {
        let warning = ConfigurationProblem(file: file, line: line, key: key, message: message)
        // A section may be read twice, which would record its warnings twice.
        if !warnings.contains(warning) { warnings.append(warning) }
    }
}

extension Node {
    /// Whether the key has no value.
    fileprivate var isNothing: Bool {
        guard let scalar else { return false }
        return scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
    }
}

extension String {
    /// The Levenshtein distance: the smallest number of letters to insert, delete or replace.
    package func distance(to other: String) -> Int {
        let target = Array(other)
        var previous = Array(0...target.count)
        for (row, letter) in enumerated() {
            var current = [row + 1]
            for (column, candidate) in target.enumerated() {
                current.append(
                    Swift.min(previous[column] + (letter == candidate ? 0 : 1), previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[target.count]
    }
}
