/// Numbers that somebody else keeps; they are asked for when the page is read.
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
