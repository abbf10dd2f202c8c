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

/// One download of a chaos run, and the faults that will hit it.
package struct PlannedDownload: Sendable, Equatable {
    /// 0 for the first of the schedule.
    package let number: Int
    package let client: ClientKind
    package let fault: Fault
    /// The image's size in bytes; a lane has one image of each size.
    package let imageSize: Int64
    /// What the client asks for.
    package let range: Range<Int64>
    /// In the order of their offsets; each hits another location.
    package let injections: [Injection]
    /// Whether a location that was hit refuses all requests until the download is over.
    package let isLasting: Bool
    /// The offset at which an abandoning client disconnects.
    package let leavesAt: Int64?

    /// An undisturbed download of a whole image; Baton makes the image's manifest from it.
    package static func undisturbed(_ imageSize: Int64) -> PlannedDownload {
        PlannedDownload(
            number: -1, client: .whole, fault: .pause, imageSize: imageSize, range: 0..<imageSize, injections: [],
            isLasting: false, leavesAt: nil)
    }

    /// What is wrong with the plan itself; nil when it is sound.
    package var flaw: String? {
        if range.lowerBound < 0 || range.upperBound > imageSize || range.isEmpty { return "asks for bytes beyond the image" }
        if injections.isEmpty { return "has no injection" }
        if injections.count >= fault.target.locations { return "no good location is left" }
        if injections.contains(where: { $0.offset <= range.lowerBound || $0.offset >= range.upperBound - 1 }) {
            return "an injection is not between its first and its last byte"
        }
        if zip(injections, injections.dropFirst()).contains(where: { $0.offset > $1.offset }) {
            return "its injections are out of order"
        }
        if let leavesAt, leavesAt <= injections[0].offset { return "its client disconnects before the first injection" }
        return nil
    }
}

/// How a client reads.
package enum ClientKind: String, CaseIterable, Sendable, Codable {
    /// The whole image, as fast as it comes.
    case whole
    /// A range, as fast as it comes.
    case range
    /// The whole image, at a limited rate.
    case slow
    /// Disconnects in the middle.
    case abandoning

    /// How many clients in a hundred are of this kind.
    var share: Int {
        switch self {
        case .whole: 60
        case .range: 26
        case .slow: 8
        case .abandoning: 6
        }
    }

    /// Whether the gaps that it sees are caused by the server and not by itself.
    package var seesGaps: Bool { self == .whole || self == .range }
}

/// A kind of storage for the images of a chaos run, into which faults are injected.
package enum TargetKind: String, CaseIterable, Sendable, Codable {
    /// Three FaultyOrigins. Faults hit an exact byte.
    case scripted
    /// A real nginx, then a FaultyOrigin.
    case nginx
    /// A real nginx in its own network namespace, then a FaultyOrigin.
    case network
    /// A real nginx behind a TCP forwarder, then a FaultyOrigin.
    case link
    /// A file, then a FaultyOrigin.
    case file
    /// An object in a real OpenStack Swift, then a FaultyOrigin.
    case swift
    /// Three FaultyOrigins; the fault hits Baton's own machine.
    case machine

    /// How many locations each image has there.
    package var locations: Int {
        switch self {
        case .scripted, .machine: 3
        case .nginx, .network, .link, .file, .swift: 2
        }
    }

    /// How many downloads in a thousand come from there.
    package var share: Int {
        switch self {
        case .scripted: 937
        case .nginx: 20
        case .network: 6
        case .link: 8
        case .file: 22
        case .swift: 4
        case .machine: 3
        }
    }
}
