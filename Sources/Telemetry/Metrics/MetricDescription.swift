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

    /// A number in Prometheus' notation. Whole numbers have no decimal point as long as they are exact.
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
