import ChaosPlan
import FaultyOrigin
import Foundation
import Glibc
import Servers
import Synchronization

/// Baton's own machine: its clock jumps, or another process locks its catalog. The images are stored at the origins.
final class MachineTarget: Target {
    let good: OriginsTarget
    /// Holds the file with Baton's clock, and the catalog.
    let directory: TestDirectory
    private let locker = Mutex<Process?>(nil)

    private static let faketime = "/usr/bin/faketime"
    /// How long the catalog is locked, in seconds.
    private static let lockTime = 3

    init(good: OriginsTarget, directory: TestDirectory) throws {
        guard FileManager.default.isExecutableFile(atPath: Self.faketime) else {
            throw Unavailable(reason: "faketime is not installed (make test-setup)")
        }
        guard Preloading.isPossible else { throw Unavailable(reason: "faketime does not work with sanitizers") }
        self.good = good
        self.directory = directory
        try setClock(.zero)
    }

    /// Makes Baton read that clock. Monotonic clocks do not jump.
    ///
    /// The command prepares the environment and then sets a time itself, which would override the file's. Without the command the
    /// library changes the environment of the program, in which Swift finds its arguments. The command remains as Baton's parent, and
    /// Baton must not outlive it.
    let wrapper = [
        faketime, "-m", "--exclude-monotonic", "-f", "+0s", "/bin/sh", "-c",
        #"unset FAKETIME; exec /usr/bin/setpriv --pdeathsig KILL "$0" "$@""#,
    ]
    var environment: [String: String] {
        ["FAKETIME_TIMESTAMP_FILE": directory.file("clock"), "FAKETIME_CACHE_DURATION": "1", "NO_FAKE_STAT": "1"]
    }

    var backends: [String: String] { [:] }

    func store(_ content: PatternedContent, as name: String, lane: Int) -> [String] {
        good.store(content, as: name, lane: lane)
    }

    func inject(_ plan: PlannedDownload, _ image: StoredImage) throws {
        if plan.fault == .clockJump {
            let hours = [-24, -1, 1, 24, 24 * 365]
            return try setClock(.seconds(3600 * hours[plan.number % hours.count]))
        }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let program = """
            import sqlite3, sys, time
            catalog = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
            catalog.execute("BEGIN EXCLUSIVE")
            time.sleep(\(Self.lockTime))
            """
        process.arguments = ["python3", "-c", program, directory.file("catalog.sqlite")]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        locker.withLock { $0 = process }
    }

    func repair(_ plan: PlannedDownload, _ image: StoredImage) async throws {
        if plan.fault == .clockJump { return try setClock(.zero) }
        guard let process = locker.withLock({ $0.take() }) else { return }
        let status = try await onOwnThread { process.exitCode() }
        guard status == 0 else { throw Failed(what: "locking the catalog", status: status) }
    }

    private func setClock(_ offset: Duration) throws {
        let seconds = Int(offset / .seconds(1))
        let next = directory.file("clock.next")
        try Data("\(seconds < 0 ? "" : "+")\(seconds)s\n".utf8).write(to: URL(filePath: next))
        // Atomic: a reader never sees half of it.
        rename(next, directory.file("clock"))
    }
}
