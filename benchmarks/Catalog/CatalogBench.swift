import Foundation
import ImageCatalog
import ImageModel

/// Measures the catalog's reads with 100 and with 10,000 images of five locations each, in turn in one process, and prints the ratio.
@main
struct CatalogBench {
    static let sizes = [100, 10_000]
    static let rounds = 2_000

    static func main() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "baton-catalog-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        var samples: [SampleCatalog] = []
        for size in sizes {
            FileHandle.standardError.write(Data("filling a catalog with \(size) images\n".utf8))
            samples.append(try await SampleCatalog(of: size, at: directory.appending(path: "\(size).sqlite").path))
        }
        print("| read | p50 at 100, µs | p50 at 10,000 | p99 at 100 | p99 at 10,000 | p99 ratio |\n|---|--:|--:|--:|--:|--:|")
        for read in CatalogRead.allCases {
            let times = try await measure(read, samples)
            let p50 = times.map { percentile(50, of: $0) }
            let p99 = times.map { percentile(99, of: $0) }
            let cells = [p50[0], p50[1], p99[0], p99[1]].map { String(format: "%.0f", $0) }
            print("| \(read.rawValue) | \(cells.joined(separator: " | ")) | \(String(format: "%.2f", p99[1] / p99[0])) |")
        }
    }

    /// The microseconds of each read, by catalog; the catalogs take turns, so that noise of the machine affects both alike.
    private static func measure(_ read: CatalogRead, _ samples: [SampleCatalog]) async throws -> [[Double]] {
        var times = samples.map { _ in [Double]() }
        for round in -100..<rounds {
            for (index, sample) in samples.enumerated() {
                let start = ContinuousClock.now
                try await read.run(on: sample, round: abs(round))
                // The first reads fill the caches.
                if round >= 0 { times[index].append((ContinuousClock.now - start) / .microseconds(1)) }
            }
        }
        return times
    }

    private static func percentile(_ percent: Int, of values: [Double]) -> Double {
        values.sorted()[(values.count - 1) * percent / 100]
    }
}
