package import ImageModel
package import NetworkAddress
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
            reject(key, "must be a list of single values, e.g. [a, b]")
            return []
        }
        return texts.compactMap { $0 }
    }

    /// A list of words of an enumeration; unknown words are recorded as problems and left out.
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
            reject(key, "\"\(text.prefix(64))\" is not a whole number")
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
            reject(key, "\"\(text.prefix(64))\" is not a duration; write for example 500ms, 3s, 5m, 1h or 7d")
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

    /// A number of bytes, e.g. `4MiB`, for a setting that is an `Int64`.
    package func bytes(_ key: String, default fallback: Int64, in range: ClosedRange<ByteCount>) -> Int64 {
        Int64(bytes(key, default: ByteCount(Int(fallback)), in: range).count)
    }

    /// The permissions of files, e.g. `0640`.
    package func fileMode(_ key: String, default fallback: FileMode) -> FileMode {
        guard let text = text(key) else { return fallback }
        guard let mode = FileMode(text) else {
            reject(
                key,
                "\"\(text.prefix(64))\" is not a mode for files; write for example 0600, 0640 or 0660: the owner must have read "
                    + "and write permission, others no write permission, and no user execute permission")
            return fallback
        }
        return mode
    }

    /// A number of bytes; nil if the key is missing or invalid.
    package func bytes(_ key: String, in range: ClosedRange<ByteCount>) -> ByteCount? {
        text(key) == nil ? nil : bytes(key, default: range.lowerBound, in: range)
    }

    /// A word of an enumeration.
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

/// A number of bytes in the notation of the configuration file.
package struct ByteCount: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let count: Int

    package init(_ count: Int) { self.count = count }

    package static func kibibytes(_ number: Int) -> ByteCount { ByteCount(number << 10) }
    package static func mebibytes(_ number: Int) -> ByteCount { ByteCount(number << 20) }
    package static func gibibytes(_ number: Int) -> ByteCount { ByteCount(number << 30) }

    private static let units: [(suffix: String, shift: Int)] = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)]

    /// Parses a whole number with an optional unit: B, KiB, MiB or GiB; nil for other text.
    package init?(_ text: String) {
        let (suffix, shift) = Self.units.first { text.hasSuffix($0.suffix) } ?? ("", 0)
        guard let number = Int(text.dropLast(suffix.count)), number >= 0, number <= Int.max >> shift else { return nil }
        count = number << shift
    }

    /// The number in the largest unit that leaves no remainder, e.g. `512KiB`.
    package var description: String {
        let (suffix, shift) = Self.units.first { (count >> $0.shift) << $0.shift == count && count >> $0.shift > 0 } ?? ("B", 0)
        return "\(count >> shift)\(suffix)"
    }

    package static func < (left: ByteCount, right: ByteCount) -> Bool { left.count < right.count }
}

extension Duration {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// Parses a whole number with a unit: ms, s, m, h or d; nil for other text.
    init?(configured text: String) {
        guard let unit = Self.units.first(where: { text.hasSuffix($0.suffix) }),
            let number = Int64(text.dropLast(unit.suffix.count)), (0...10_000_000).contains(number)
        else { return nil }
        self = .milliseconds(number * unit.milliseconds)
    }

    /// The duration in the notation of the configuration, in the largest unit that leaves no remainder.
    var configured: String {
        let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        let unit = Self.units.last { milliseconds % $0.milliseconds == 0 && milliseconds >= $0.milliseconds } ?? ("ms", 1)
        return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
    }
}

// Keys whose values are lists.
extension Section {
    /// IP networks, e.g. `[10.0.0.0/8, fd00::/8]`; empty if the key is missing.
    package func networks(_ key: String) -> [IPNetwork] {
        list(key, example: "[10.0.0.0/8, fd00::/8]").compactMap { text in
            do throws(InvalidNetwork) {
                return try IPNetwork(text)
            } catch {
                reject(key, "\"\(text.prefix(64))\" \(error)")
                return nil
            }
        }
    }

    /// Origins of web pages, e.g. `["https://console.example"]`; empty if the key is missing.
    /// - Parameter allowsAll: whether `*` may stand for all origins.
    func origins(_ key: String, allowsAll: Bool) -> [String] {
        list(key, example: "[\"https://console.example\"]").compactMap { text in
            if text == "*" {
                guard !allowsAll else { return text }
                reject(key, "\"*\" allows every web page, which is not possible with auth.mode none; list the origins")
                return nil
            }
            let host = ["https://", "http://"].first { text.hasPrefix($0) }.map { text.dropFirst($0.count) }
            guard let host, !host.isEmpty, !host.contains(where: { "/?#@*, ".contains($0) }) else {
                reject(
                    key,
                    "\"\(text.prefix(64))\" is not an origin: write a scheme and a host, e.g. https://console.example"
                )
                return nil
            }
            return text
        }
    }

    /// The public URL of a server, without a trailing slash; nil if the key is missing or invalid.
    func publicURL(_ key: String) -> String? {
        guard let text = string(key) else { return nil }
        let rest = ["https://", "http://"].first { text.hasPrefix($0) }.map { text.dropFirst($0.count) }
        guard let rest, let first = rest.first, first != "/", !rest.contains(where: { "?#@\\\"<> ".contains($0) }) else {
            reject(key, "\"\(text.prefix(64))\" is not the URL of a server; write for example https://images.example")
            return nil
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    /// The scalar items of a sequence, in flow or block style; empty if the key is missing or invalid.
    private func list(_ key: String, example: String) -> [String] {
        guard let node = take(key) else { return [] }
        let texts = node.sequence.map { Array($0).map(\.scalar?.string) } ?? [nil]
        guard !texts.contains(nil) else {
            reject(key, "must be a list of single values; write for example \(example)")
            return []
        }
        return texts.compactMap { $0 }
    }
}
