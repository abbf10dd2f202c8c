import Synchronization

/// A number that only grows, for each combination of labels.
package final class Counter: MetricsRegistry.Family {
    let description: MetricDescription
    private let values: Mutex<Series<Double>>

    init(_ description: MetricDescription) {
        self.description = description
        // Without labels it is there from the start; otherwise nobody could tell "never" from "not measured".
        values = Mutex(Series(isPlain: description.labels.isEmpty, 0))
    }

    /// Adds to it; `amount` is never negative.
    package func add(_ amount: Double = 1, _ labels: String...) {
        values.withLock { $0.update(labels, from: 0) { $0 += max(0, amount) } }
    }

    func samples() async -> [MetricSample] {
        values.withLock { $0.sorted }.map { MetricSample(labels: $0.labels, value: $0.value) }
    }
}

/// The values of one metric by their labels, of which there are only so many: a label that grows without bound would take the memory
/// of whoever collects it.
struct Series<Value: Sendable>: Sendable {
    private var values: [[String]: Value]
    private static var limit: Int { 500 }
    private static var rest: String { "other" }

    init(isPlain: Bool, _ value: Value) { values = isPlain ? [[]: value] : [:] }

    mutating func update(_ labels: [String], from initial: @autoclosure () -> Value, _ change: (inout Value) -> Void) {
        let isKnown = values[labels] != nil || values.count < Self.limit
        change(&values[isKnown ? labels : labels.map { _ in Self.rest }, default: initial()])
    }

    /// In the order of their labels, so that two pages can be compared.
    var sorted: [(labels: [String], value: Value)] {
        values.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
    }
}
