package import ImageModel
import Yams

// Getters for the types of values.
extension Section {
    /// A string; nil if the key is missing.
    package func string(_ key: String) -> String? { text(key) }

    /// A string with a default.
    package func string(_ key: String, default fallback: String) -> String { text(key) ?? fallback }

    /// A string that must be present.
    package func requiredString(_ key: String, example: String) -> String? {
        guard let value = text(key) else {
            reject(key, "is missing; write for example \(key): \"\(example)\"")
            return nil
        }
        return value
    }

    /// The strings of a list, e.g. `[a, b]`, or a single string without brackets; empty if the key is missing.
    package func strings(_ key: String) -> [String] {
        guard let node = take(key) else { return [] }
        let texts = node.sequence.map { $0.map(\.scalar?.string) } ?? [node.scalar?.string]
        guard !texts.contains(nil) else {
            reject(key, "here a list of single values is expected, e.g. [a, b]")
            return []
        }
        return texts.compactMap { $0 }
    }

    /// A list of words from an enumeration.
    package func choices<Choice: RawRepresentable & CaseIterable>(_ key: String) -> [Choice] where Choice.RawValue == String {
        strings(key).compactMap { text in
            if let choice = Choice(rawValue: text) { return choice }
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            reject(key, "\"\(text.prefix(64))\" is not known; possible: \(known)")
            return nil
        }
    }

    /// A whole number.
    package func integer(_ key: String, default fallback: Int, in range: ClosedRange<Int>) -> Int {
        guard let text = text(key) else { return fallback }
        guard let number = Int(text) else {
            reject(key, "\"\(text.prefix(64))\" is no whole number")
            return fallback
        }
        return within(key, number, range, fallback) { "\($0)" }
    }

    /// A whole number; nil if the key is missing or invalid.
    package func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        text(key) == nil ? nil : integer(key, default: range.lowerBound, in: range)
    }

    /// `true` or `false`.
    package func boolean(_ key: String, default fallback: Bool) -> Bool {
        guard let text = text(key) else { return fallback }
        switch text {
        case "true": return true
        case "false": return false
        default:
            reject(key, "\"\(text.prefix(64))\" is neither true nor false")
            return fallback
        }
    }

    /// A duration, e.g. `500ms`, `3s`, `5m`, `1h`.
    package func duration(_ key: String, default fallback: Duration, in range: ClosedRange<Duration>) -> Duration {
        guard let text = text(key) else { return fallback }
        guard let duration = Duration(configured: text) else {
            reject(key, "\"\(text.prefix(64))\" is no duration; write for example 500ms, 3s, 5m, 1h or 7d")
            return fallback
        }
        return within(key, duration, range, fallback, \.configured)
    }

    /// A number of bytes, e.g. `4096`, `512KiB`, `4MiB`, `1GiB`.
    package func bytes(_ key: String, default fallback: ByteCount, in range: ClosedRange<ByteCount>) -> ByteCount {
        guard let text = text(key) else { return fallback }
        guard let count = ByteCount(text) else {
            reject(key, "\"\(text.prefix(64))\" is not a number of bytes; write for example 512KiB, 4MiB or 1GiB")
            return fallback
        }
        return within(key, count, range, fallback, \.description)
    }

    /// The same for a limit that is kept as a plain number.
    package func bytes(_ key: String, default fallback: Int64, in range: ClosedRange<ByteCount>) -> Int64 {
        Int64(bytes(key, default: ByteCount(Int(fallback)), in: range).count)
    }

    /// The permissions of files, e.g. `0640`.
    package func fileMode(_ key: String, default fallback: FileMode) -> FileMode {
        guard let text = text(key) else { return fallback }
        guard let mode = FileMode(text) else {
            reject(
                key,
                "\"\(text.prefix(64))\" is not a mode for files; write for example 0600, 0640 or 0660: the owner must read and write, "
                    + "others must not write, nobody executes")
            return fallback
        }
        return mode
    }

    /// A number of bytes; nil if the key is missing or invalid.
    package func bytes(_ key: String, in range: ClosedRange<ByteCount>) -> ByteCount? {
        text(key) == nil ? nil : bytes(key, default: range.lowerBound, in: range)
    }

    /// One word of an enumeration.
    package func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, default fallback: Choice) -> Choice
    where Choice.RawValue == String {
        guard let text = text(key) else { return fallback }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            reject(key, "\"\(text.prefix(64))\" is not known; possible: \(known)")
            return fallback
        }
        return choice
    }

    private func within<Value: Comparable>(
        _ key: String, _ value: Value, _ range: ClosedRange<Value>, _ fallback: Value, _ written: (Value) -> String
    ) -> Value {
        guard range.contains(value) else {
            reject(
                key, "\(written(value)) is out of range: from \(written(range.lowerBound)) to \(written(range.upperBound))")
            return fallback
        }
        return value
    }
}
