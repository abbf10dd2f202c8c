import ChaosPlan
import Foundation
import Glibc
import Servers
import Synchronization

/// Carries out a schedule with one peer.
struct Run {
    let schedule: Schedule
    let targets: [TargetKind: any Target]
    /// By name.
    let images: [String: StoredImage]
    let injector: FaultInjector
    /// Keeps the images of several runs apart.
    let name: String

    /// Stores all images at their targets.
    /// - Parameter targets: the available ones; downloads at others are left out.
    init(_ schedule: Schedule, at targets: [TargetKind: any Target], injector: FaultInjector, name: String) async throws {
        self.schedule = schedule
        self.targets = targets
        self.injector = injector
        self.name = name
        var images: [String: StoredImage] = [:]
        for lane in schedule.lanes {
            guard let target = targets[lane.target] else { continue }
            for size in lane.imageSizes {
                let image = try await StoredImage(of: lane, size: size, in: target, run: name, seed: schedule.seed)
                images[image.name] = image
            }
        }
        self.images = images
    }

    /// Registers all images with a peer, a few at a time.
    func prepare(_ peer: some Peer) async throws {
        try await withThrowingTaskGroup { group in
            var rest = images.values.sorted { $0.name < $1.name }[...]
            for _ in 0..<4 {
                if let image = rest.popFirst() { group.addTask { try await peer.prepare(image) } }
            }
            while try await group.next() != nil {
                if let image = rest.popFirst() { group.addTask { try await peer.prepare(image) } }
            }
        }
    }

    /// Runs all lanes concurrently.
    func run(_ peer: some Peer, _ scoreboard: Scoreboard) async {
        await withTaskGroup { group in
            for lane in schedule.lanes {
                guard let target = targets[lane.target] else { continue }
                group.addTask { await run(lane, at: target, peer, scoreboard) }
            }
        }
    }

    private func run(_ lane: Schedule.Lane, at target: any Target, _ peer: some Peer, _ scoreboard: Scoreboard) async {
        for (index, plan) in lane.downloads.enumerated() {
            if Interruption.isAsked {
                return scoreboard.skip(lane.downloads.count - index, because: "the run was interrupted")
            }
            guard let image = images["\(name)-lane\(lane.number)-\(plan.imageSize)"] else { continue }
            do {
                injector.begin(plan, at: image.name)
                let reading = try await peer.read(plan, image) { try target.inject(plan, image) }
                let isHit = injector.end(at: image.name)
                try await target.repair(plan, image)
                if plan.fault == .corruptByte || plan.fault == .fileRotten { try await peer.settle(image, after: reading) }
                scoreboard.add(
                    Observation(
                        plan, reading.outcome, received: reading.received, isHit: isHit, gap: reading.gap,
                        remark: reading.remark, request: reading.request))
            } catch {
                return scoreboard.skip(lane.downloads.count - index, because: "\(lane.target.rawValue): \(error)")
            }
        }
    }
}

/// Handles interruption by a signal: after the first one the running downloads end and the results are printed; the second one
/// calls `exit`, which stops the processes that were started.
enum Interruption {
    private static let count = Atomic(0)

    /// Whether a signal has arrived.
    static var isAsked: Bool { count.load(ordering: .relaxed) > 0 }

    /// Installs the signal handlers.
    static func listen() {
        _ = isAsked  // initialised here, not in the handler
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                if Interruption.count.add(1, ordering: .relaxed).oldValue > 0 { exit(128 + number) }
            }
        }
    }
}

/// A network namespace for the run: its traffic reaches neither the machine's network nor its loopback.
enum OwnNetwork {
    private static let mark = "BATON_CHAOS_NETWORK"

    /// Whether this process runs in one.
    static var isEntered: Bool { ProcessInfo.processInfo.environment[mark] != nil }

    /// Restarts this program in one if that is allowed; otherwise returns.
    static func enter() throws {
        guard !isEntered, geteuid() == 0, (try? execute("/usr/bin/unshare", "--net", "/bin/true")) != nil else {
            return
        }
        setenv(mark, "1", 1)
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let arguments =
            ["unshare", "--net", "/bin/sh", "-c", #"/usr/sbin/ip link set lo up; exec "$0" "$@""#, path]
            + CommandLine.arguments.dropFirst()
        var pointers = arguments.map { strdup($0) } + [nil]
        execv("/usr/bin/unshare", &pointers)
        throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
}

/// A system program failed.
struct Failed: Error {
    let what: String
    let status: Int32
}

/// Runs a program to its end on this thread.
func execute(_ command: String...) throws {
    let process = Process()
    process.executableURL = URL(filePath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let status = process.exitCode()
    guard status == 0 else { throw Failed(what: command.joined(separator: " "), status: status) }
}
