import Synchronization

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
