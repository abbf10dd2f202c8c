import LocationSelection

/// All downloads and faults of a chaos run, as a function of its seed.
package struct Schedule: Sendable, Equatable {
    /// The successive downloads of one client, of images that no other client uses.
    package struct Lane: Sendable, Equatable {
        /// 0 for the first lane.
        package let number: Int
        package let target: TargetKind
        package let downloads: [PlannedDownload]

        /// The sizes of the images that it needs.
        package var imageSizes: [Int64] { Set(downloads.map(\.imageSize)).sorted() }
    }

    package let seed: UInt64
    package let lanes: [Lane]

    /// - Parameters:
    ///   - counts: how many downloads each target has.
    ///   - clients: how many lanes of scripted origins; each other target has one.
    ///   - accepts: whether a pair of client and fault is accepted; otherwise another is generated.
    package init(
        seed: UInt64, counts: [TargetKind: Int], clients: Int, accepts: (ClientKind, Fault) -> Bool = { _, _ in true }
    ) {
        self.seed = seed
        var number = 0
        var lanes: [Lane] = []
        func lane(at target: TargetKind, of count: Int) {
            guard count > 0 else { return }
            var downloads: [PlannedDownload] = []
            for _ in 0..<count {
                var generator = Generator(random: SplitMix64(seed: seed &+ UInt64(number) &* 0xD134_2543_DE82_EF95))
                downloads.append(generator.download(number, at: target, accepts))
                number += 1
            }
            lanes.append(Lane(number: lanes.count, target: target, downloads: downloads))
        }
        for target in TargetKind.allCases where target != .scripted { lane(at: target, of: counts[target] ?? 0) }
        let (clients, scripted) = (max(1, clients), counts[.scripted] ?? 0)
        for client in 0..<clients { lane(at: .scripted, of: scripted / clients + (client < scripted % clients ? 1 : 0)) }
        self.lanes = lanes
    }

    /// Divides that many downloads among the targets of some faults by their usual shares; each target gets at least one.
    package static func counts(of downloads: Int, for faults: some Sequence<Fault> = Fault.allCases) -> [TargetKind: Int] {
        let wanted = Set(faults.map(\.target))
        let targets = TargetKind.allCases.filter(wanted.contains)
        guard let largest = targets.max(by: { $0.share < $1.share }) else { return [:] }
        let all = targets.reduce(0) { $0 + $1.share }
        var counts = [TargetKind: Int](uniqueKeysWithValues: targets.map { ($0, max(1, downloads * $0.share / all)) })
        counts[largest] = 0
        counts[largest] = max(1, downloads - counts.values.reduce(0, +))
        return counts
    }

    /// All downloads.
    package var downloads: [PlannedDownload] { lanes.flatMap(\.downloads) }

    /// One sentence for each download that breaks the rules of a run.
    package var flaws: [String] {
        downloads.compactMap { download in download.flaw.map { "download \(download.number): \($0)" } }
    }
}
