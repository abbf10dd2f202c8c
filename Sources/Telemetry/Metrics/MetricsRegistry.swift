import Synchronization

/// All metrics of a process, and the page that Prometheus scrapes.
package final class MetricsRegistry: Sendable {
    /// A metric that the page contains.
    protocol Family: Sendable {
        var description: MetricDescription { get }
        func samples() async -> [MetricSample]
    }

    private let families = Mutex<[any Family]>([])

    package init() {}

    /// Registers a counter.
    /// - Parameters:
    ///   - name: the name by Prometheus' conventions: a prefix, base units, `_total` at the end.
    ///   - help: one line.
    ///   - labels: the names of the labels, whose values are passed with each addition.
    package func counter(_ name: String, _ help: String, labels: [String] = []) -> Counter {
        add(Counter(MetricDescription(name: name, help: help, kind: .counter, labels: labels)))
    }

    /// Registers a histogram.
    /// - Parameter bounds: the ascending upper bounds; a last bucket without bound is added.
    package func histogram(_ name: String, _ help: String, labels: [String] = [], bounds: [Double]) -> Histogram {
        add(Histogram(MetricDescription(name: name, help: help, kind: .histogram, labels: labels), bounds: bounds))
    }

    /// Registers a gauge that is read when the page is requested.
    /// - Parameter read: returns each value with its label values, in the order of `labels`.
    package func gauge(
        _ name: String, _ help: String, labels: [String] = [],
        read: @escaping @Sendable () async -> [(labels: [String], value: Double)]
    ) {
        _ = add(Gauge(MetricDescription(name: name, help: help, kind: .gauge, labels: labels), read: read))
    }

    /// Registers a counter that is kept elsewhere and read when the page is requested.
    /// - Parameter read: returns each value with its label values, in the order of `labels`.
    package func counter(
        _ name: String, _ help: String, labels: [String] = [],
        read: @escaping @Sendable () async -> [(labels: [String], value: Double)]
    ) {
        _ = add(Gauge(MetricDescription(name: name, help: help, kind: .counter, labels: labels), read: read))
    }

    /// The page in Prometheus' text format, version 0.0.4.
    package func page() async -> String {
        var page = ""
        for family in families.withLock({ $0 }) { page += family.description.text(of: await family.samples()) }
        return page
    }

    private func add<Added: Family>(_ family: Added) -> Added {
        families.withLock { $0.append(family) }
        return family
    }
}
