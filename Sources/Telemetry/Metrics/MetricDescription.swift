import Synchronization

/// A metric's name, help text, kind and labels.
struct MetricDescription: Sendable {
    enum Kind: String {
        case counter, gauge, histogram
    }

    let name: String
    let help: String
    let kind: Kind
    let labels: [String]

    /// The metric's lines of the page.
    func text(of samples: [MetricSample]) -> String {
        var text = "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            var pairs = zip(labels, sample.labels).map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
            if let bound = sample.bound { pairs.append("le=\"\(bound)\"") }
            text += name + sample.suffix
            if !pairs.isEmpty { text += "{\(pairs.joined(separator: ","))}" }
            text += " \(Self.number(sample.value))\n"
        }
        return text
    }

    /// A number in Prometheus' notation. Whole numbers below 1e15 have no decimal point.
    static func number(_ value: Double) -> String {
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value.isNaN { return "NaN" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}

/// One sample of a metric.
struct MetricSample {
    var labels: [String]
    var value: Double
    /// The suffix of the name: `_bucket`, `_sum`, `_count`.
    var suffix = ""
    /// The upper bound of a bucket.
    var bound: String?
}

/// A counter with one value per combination of labels.
package final class Counter: MetricsRegistry.Family {
    let description: MetricDescription
    private let values: Mutex<Series<Double>>

    init(_ description: MetricDescription) {
        self.description = description
        // A counter without labels exists from the start, so that zero differs from a missing value.
        values = Mutex(Series(isPlain: description.labels.isEmpty, 0))
    }

    /// Adds `amount`, which must not be negative.
    package func add(_ amount: Double = 1, _ labels: String...) {
        values.withLock { $0.update(labels, from: 0) { $0 += max(0, amount) } }
    }

    func samples() async -> [MetricSample] {
        values.withLock { $0.sorted }.map { MetricSample(labels: $0.labels, value: $0.value) }
    }
}

/// The values of one metric by their labels. Their number is limited, since an unbounded number of labels would exhaust the
/// memory of the server and of Prometheus. Further values are collected under the label value `other`.
struct Series<Value: Sendable>: Sendable {
    private var values: [[String]: Value]
    private static var limit: Int { 500 }
    private static var rest: String { "other" }

    init(isPlain: Bool, _ value: Value) { values = isPlain ? [[]: value] : [:] }

    mutating func update(_ labels: [String], from initial: @autoclosure () -> Value, _ change: (inout Value) -> Void) {
        let isKnown = values[labels] != nil || values.count < Self.limit
        change(&values[isKnown ? labels : labels.map { _ in Self.rest }, default: initial()])
    }

    /// The values ordered by their labels, so that two pages can be compared.
    var sorted: [(labels: [String], value: Value)] {
        values.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
    }
}

/// A metric whose values are kept elsewhere and read when the page is requested.
struct Gauge: MetricsRegistry.Family {
    let description: MetricDescription
    private let read: @Sendable () async -> [(labels: [String], value: Double)]

    init(_ description: MetricDescription, read: @escaping @Sendable () async -> [(labels: [String], value: Double)]) {
        self.description = description
        self.read = read
    }

    func samples() async -> [MetricSample] {
        await read().map { MetricSample(labels: $0.labels, value: $0.value) }
    }
}

/// A histogram with one distribution per combination of labels.
package final class Histogram: MetricsRegistry.Family {
    private struct Distribution: Sendable {
        var counts: [Int]
        var sum = 0.0
    }

    let description: MetricDescription
    private let bounds: [Double]
    private let values: Mutex<Series<Distribution>>

    init(_ description: MetricDescription, bounds: [Double]) {
        self.description = description
        self.bounds = bounds
        values = Mutex(
            Series(isPlain: description.labels.isEmpty, Distribution(counts: Array(repeating: 0, count: bounds.count + 1))))
    }

    package func record(_ value: Double, _ labels: String...) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        values.withLock { values in
            values.update(labels, from: Distribution(counts: Array(repeating: 0, count: bounds.count + 1))) {
                $0.counts[bucket] += 1
                $0.sum += value
            }
        }
    }

    func samples() async -> [MetricSample] {
        let bounds = bounds.map(MetricDescription.number) + ["+Inf"]
        return values.withLock { $0.sorted }.flatMap { labels, distribution in
            var total = 0
            var samples: [MetricSample] = []
            for (bound, count) in zip(bounds, distribution.counts) {
                total += count
                samples.append(MetricSample(labels: labels, value: Double(total), suffix: "_bucket", bound: bound))
            }
            samples.append(MetricSample(labels: labels, value: distribution.sum, suffix: "_sum"))
            samples.append(MetricSample(labels: labels, value: Double(total), suffix: "_count"))
            return samples
        }
    }
}
