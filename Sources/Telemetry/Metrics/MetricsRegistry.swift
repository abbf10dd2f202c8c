import Synchronization

/// All metrics of a process, and the page that Prometheus reads them from.
package final class MetricsRegistry: Sendable {
    /// What every kind of metric can do for the page.
    protocol Family: Sendable {
        var description: MetricDescription { get }
        func samples() async -> [MetricSample]
    }

    private let families = Mutex<[any Family]>([])

    /// A registry without metrics.
    package init() {}

    /// A number that only grows.
    /// - Parameters:
    ///   - name: by Prometheus' conventions: a prefix, base units, `_total` at the end.
    ///   - help: one line.
    ///   - labels: the names of the labels; their values are given with each addition.
    package func counter(_ name: String, _ help: String, labels: [String] = []) -> Counter {
        add(Counter(MetricDescription(name: name, help: help, kind: .counter, labels: labels)))
    }

    /// How often values fell below certain bounds.
    /// - Parameter bounds: growing; the last bucket, for all the rest, is added.
    package func histogram(_ name: String, _ help: String, labels: [String] = [], bounds: [Double]) -> Histogram {
        add(Histogram(MetricDescription(name: name, help: help, kind: .histogram, labels: labels), bounds: bounds))
    }

    /// Numbers that are asked for when the page is read.
    /// - Parameter read: each number with the values of the labels, in their order.
    package func gauge(
        _ name: String, _ help: String, labels: [String] = [],
        read: @escaping @Sendable () async -> [(labels: [String], value: Double)]
    ) {
        _ = add(Gauge(MetricDescription(name: name, help: help, kind: .gauge, labels: labels), read: read))
    }

    /// Counts that somebody else keeps, asked for when the page is read.
    /// - Parameter read: each count with the values of the labels, in their order.
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
