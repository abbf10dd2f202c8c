import ChaosPlan
import Foundation
import Servers

/// Carries out a schedule with one contender.
struct Run {
    let schedule: Schedule
    let places: [Site: any Place]
    /// By their names.
    let images: [String: StoredImage]
    let storm: Storm
    /// Keeps the images of several runs apart.
    let name: String

    /// Puts all images where they belong.
    /// - Parameter places: those that are to be had; downloads at others are left out.
    init(_ schedule: Schedule, at places: [Site: any Place], storm: Storm, name: String) async throws {
        self.schedule = schedule
        self.places = places
        self.storm = storm
        self.name = name
        var images: [String: StoredImage] = [:]
        for lane in schedule.lanes {
            guard let place = places[lane.site] else { continue }
            for size in lane.imageSizes {
                let image = try await StoredImage(of: lane, size: size, in: place, run: name, seed: schedule.seed)
                images[image.name] = image
            }
        }
        self.images = images
    }

    /// Makes all images known to a contender, a few at a time.
    func prepare(_ contender: some Contender) async throws {
        try await withThrowingTaskGroup { group in
            var rest = images.values.sorted { $0.name < $1.name }[...]
            for _ in 0..<4 {
                if let image = rest.popFirst() { group.addTask { try await contender.prepare(image) } }
            }
            while try await group.next() != nil {
                if let image = rest.popFirst() { group.addTask { try await contender.prepare(image) } }
            }
        }
    }

    /// Runs all lanes at the same time.
    func run(_ contender: some Contender, _ scoreboard: Scoreboard) async {
        await withTaskGroup { group in
            for lane in schedule.lanes {
                guard let place = places[lane.site] else { continue }
                group.addTask { await run(lane, at: place, contender, scoreboard) }
            }
        }
    }

    private func run(_ lane: Schedule.Lane, at place: any Place, _ contender: some Contender, _ scoreboard: Scoreboard) async {
        for (index, plan) in lane.downloads.enumerated() {
            if Interruption.isAsked {
                return scoreboard.skip(lane.downloads.count - index, because: "somebody had seen enough")
            }
            guard let image = images["\(name)-lane\(lane.number)-\(plan.imageSize)"] else { continue }
            do {
                storm.begin(plan, at: image.name)
                let reading = try await contender.read(plan, image) { try place.strike(plan, image) }
                let isStruck = storm.end(at: image.name)
                try await place.repair(plan, image)
                if plan.fault == .corruptByte || plan.fault == .fileRotten { try await contender.settle(image, after: reading) }
                scoreboard.add(
                    Observation(
                        plan, reading.outcome, received: reading.received, isStruck: isStruck, gap: reading.gap,
                        remark: reading.remark, request: reading.request))
            } catch {
                return scoreboard.skip(lane.downloads.count - index, because: "\(lane.site.rawValue): \(error)")
            }
        }
    }
}
