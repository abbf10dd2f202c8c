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
