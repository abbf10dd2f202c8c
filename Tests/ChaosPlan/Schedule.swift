import LocationSelection

/// Everything that will happen in a chaos run, as a function of its seed.
package struct Schedule: Sendable, Equatable {
    /// The downloads of one client after another, at images of its own.
    package struct Lane: Sendable, Equatable {
        /// 0 for the first of all lanes.
        package let number: Int
        package let site: Site
        package let downloads: [PlannedDownload]

        /// The sizes of the images that it needs.
        package var imageSizes: [Int64] { Set(downloads.map(\.imageSize)).sorted() }
    }

    package let seed: UInt64
    package let lanes: [Lane]

    /// - Parameters:
    ///   - counts: how many downloads each site has.
    ///   - clients: how many lanes of scripted origins; each other site has one.
    ///   - accepts: whether a client and a fault are taken; what is not is drawn again.
    package init(
        seed: UInt64, counts: [Site: Int], clients: Int, accepts: (ClientKind, Fault) -> Bool = { _, _ in true }
    ) {
        self.seed = seed
        var number = 0
        var lanes: [Lane] = []
        func lane(at site: Site, of count: Int) {
            guard count > 0 else { return }
            var downloads: [PlannedDownload] = []
            for _ in 0..<count {
                var draw = Draw(random: SplitMix64(seed: seed &+ UInt64(number) &* 0xD134_2543_DE82_EF95))
                downloads.append(draw.download(number, at: site, accepts))
                number += 1
            }
            lanes.append(Lane(number: lanes.count, site: site, downloads: downloads))
        }
        for site in Site.allCases where site != .scripted { lane(at: site, of: counts[site] ?? 0) }
        let (clients, scripted) = (max(1, clients), counts[.scripted] ?? 0)
        for client in 0..<clients { lane(at: .scripted, of: scripted / clients + (client < scripted % clients ? 1 : 0)) }
        self.lanes = lanes
    }

    /// The usual shares of so many downloads, for the sites of some faults alone; at least one for each of these.
    package static func counts(of downloads: Int, for faults: some Sequence<Fault> = Fault.allCases) -> [Site: Int] {
        let wanted = Set(faults.map(\.site))
        let sites = Site.allCases.filter(wanted.contains)
        guard let largest = sites.max(by: { $0.share < $1.share }) else { return [:] }
        let all = sites.reduce(0) { $0 + $1.share }
        var counts = [Site: Int](uniqueKeysWithValues: sites.map { ($0, max(1, downloads * $0.share / all)) })
        counts[largest] = 0
        counts[largest] = max(1, downloads - counts.values.reduce(0, +))
        return counts
    }

    /// All downloads.
    package var downloads: [PlannedDownload] { lanes.flatMap(\.downloads) }

    /// What is wrong with it: one sentence for each download that breaks the rules of a run.
    package var flaws: [String] {
        downloads.compactMap { download in download.flaw.map { "download \(download.number): \($0)" } }
    }
}
