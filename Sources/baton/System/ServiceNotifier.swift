import CurlTransfer
import FoundationEssentials
import Glibc
import Synchronization

/// Reports the server's state to the service manager: a datagram to `NOTIFY_SOCKET` (sd_notify(3)). Without a service manager,
/// nothing is sent.
struct ServiceNotifier: Sendable {
    private let path: String?
    /// The interval within which the service manager expects a watchdog message; nil if it expects none.
    let watchdog: Duration?

    /// - Parameter process: the process that the environment variables must name.
    init(environment: [String: String] = ProcessInfo.processInfo.environment, process: Int32 = getpid()) {
        path = environment["NOTIFY_SOCKET"].flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let isMeant = environment["WATCHDOG_PID"].map { Int32($0) == process } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        watchdog = isMeant && microseconds > 0 ? .microseconds(microseconds) : nil
    }

    /// Reports that the server is ready.
    func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }

    /// Reports that the configuration is being reloaded; `ready` follows.
    func reloading() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        send(
            "RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)\nSTATUS=Reloading the configuration.")
    }

    /// Reports that the server is stopping.
    func stopping(_ status: String) { send("STOPPING=1\nSTATUS=\(status)") }

    /// Sends a watchdog message.
    func alive() { send("WATCHDOG=1") }

    private func send(_ message: String) {
        guard let path else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }  // an abstract name
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + name.count + (path.hasPrefix("@") ? 0 : 1))
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(message.utf8)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                // Non-blocking, since a service manager that does not read must not stop the server.
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), $0, size)
            }
        }
    }
}

/// Sends watchdog messages to the service manager while every transfer loop responds.
struct Watchdog: Sendable {
    private final class Answers: Sendable {
        let count = Atomic(0)
    }

    let notifier: ServiceNotifier
    let loops: [TransferLoop]

    /// Runs until the task is cancelled; returns at once if no watchdog messages are expected.
    func run() async {
        guard let period = notifier.watchdog else { return }
        var answers: Answers?
        while !Task.isCancelled {
            if answers.map({ $0.count.load(ordering: .relaxed) == loops.count }) ?? true {
                notifier.alive()
                answers = ask()
            }
            try? await Task.sleep(for: period / 3)
        }
    }

    private func ask() -> Answers {
        let answers = Answers()
        for loop in loops { loop.enqueue { answers.count.add(1, ordering: .relaxed) } }
        return answers
    }
}
