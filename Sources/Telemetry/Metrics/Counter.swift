import Synchronization

/// A counter with one value per combination of labels.
package final class Counter: MetricsRegistry.Family {
    let description: MetricDescription
    private let values: Mutex<Series<Double>>

    init(_ description: MetricDescription) {
        self.description = description
        // A counter without labels exists from the start, so that zero can be distinguished from no measurement.
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

/// The values of one metric by their labels. Their number is limited, since labels that grow without bound would exhaust the
/// collector's memory.
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
