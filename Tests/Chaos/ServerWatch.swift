import ChaosPlan
import Foundation
import Glibc
import Servers

/// Observes a running Baton from outside: its metrics, memory and descriptors.
struct ServerWatch: Sendable {
    private let process: BatonProcess
    /// Baton's own process id: the started process may be a wrapper around it.
    private let processID: Int32

    init(_ process: BatonProcess) {
        self.process = process
        let started = process.processID
        let children = (try? String(contentsOfFile: "/proc/\(started)/task/\(started)/children", encoding: .utf8)) ?? ""
        let family =
            [started] + children.split(separator: " ").compactMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        processID =
            family.first {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/exe"))?.hasSuffix("/baton") ?? false
            } ?? started
    }

    /// The sum of a metric's series whose labels contain a text.
    private static func sum(_ name: String, _ label: String = "", in metrics: String) -> Int64 {
        metrics.split(separator: "\n").reduce(0) { sum, line in
            let rest = line.dropFirst(name.count)
            guard line.hasPrefix(name), rest.first == "{" || rest.first == " ", label.isEmpty || rest.contains(label),
                let value = rest.split(separator: " ").last.flatMap({ Double($0) })
            else { return sum }
            return sum + Int64(value)
        }
    }

    private func metrics() async throws -> String { try await process.send("GET", "/metrics").text }

    /// Stops it, and waits until its wrapper has exited.
    func stop() async throws {
        kill(processID, SIGTERM)
        _ = try await process.exited()
    }

    /// Its counts while it is idle.
    func baseline() async throws -> ServerFindings {
        var findings = ServerFindings()
        try await count(into: &findings)
        try await waitUntilAlone()
        findings.descriptorsBefore = descriptors().others
        return findings
    }

    /// What has changed since a baseline.
    func findings(since base: ServerFindings, memory: [Int64]) async throws -> ServerFindings {
        var now = base
        now.memory = memory
        now.isAlive = kill(processID, 0) == 0
        guard now.isAlive else { return now }
        try await count(into: &now)
        now.midStreamFailovers -= base.midStreamFailovers
        now.relayedBytes -= base.relayedBytes
        now.extraBytes -= base.extraBytes
        try await waitUntilAlone()
        let descriptors = descriptors()
        (now.descriptorsAfter, now.keptConnections) = (descriptors.others, descriptors.kept)
        return now
    }

    private func count(into findings: inout ServerFindings) async throws {
        let metrics = try await metrics()
        findings.midStreamFailovers = Self.sum("baton_failovers_total", #"mid_stream="true""#, in: metrics)
        findings.relayedBytes = Self.sum("baton_relay_bytes_total", in: metrics)
        findings.extraBytes = Self.sum("baton_relay_extra_bytes_total", in: metrics)
        findings.openRelays = Self.sum("baton_relays_open", in: metrics)
    }

    /// Waits until no relay runs and no client is connected, at most that many seconds.
    func waitUntilQuiet(seconds: Int = 30) async throws {
        for _ in 0..<(seconds * 10) {
            if try await Self.sum("baton_relays_open", in: metrics()) == 0, descriptors().clients == 0 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Waits until no client is connected, at most ten seconds.
    private func waitUntilAlone() async throws {
        for _ in 0..<100 where descriptors().clients > 0 { try await Task.sleep(for: .milliseconds(100)) }
    }

    /// Its descriptors: client connections; kept connections to stores and to the catalog's file; all but the kept ones.
    func descriptors() -> (clients: Int, kept: Int, others: Int) {
        let home = "/proc/\(processID)"
        let table = (try? String(contentsOfFile: "\(home)/net/tcp", encoding: .utf8)) ?? ""
        var ports: [String: (local: Int, far: Int)] = [:]
        for line in table.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ")
            guard fields.count > 9, let local = Self.port(fields[1]), let far = Self.port(fields[2]) else { continue }
            ports["socket:[\(fields[9])]"] = (local, far)
        }
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "\(home)/fd")) ?? []
        var (clients, kept) = (0, 0)
        for number in numbers {
            let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(home)/fd/\(number)")) ?? ""
            if target.contains("catalog.sqlite") { kept += 1 }
            guard let (local, far) = ports[target], far != 0 else { continue }
            if local == process.port { clients += 1 } else { kept += 1 }
        }
        return (clients, kept, numbers.count - kept)
    }

    private static func port(_ address: Substring) -> Int? { address.split(separator: ":").last.flatMap { Int($0, radix: 16) } }

    private static func residentMemory(of processID: Int32) -> Int64? {
        let text = try? String(contentsOfFile: "/proc/\(processID)/statm", encoding: .utf8)
        return text?.split(separator: " ").dropFirst().first.flatMap { Int64($0) }.map { $0 * Int64(getpagesize()) }
    }

    /// Samples its resident memory twice a second until the task is cancelled.
    func memory() async -> [Int64] {
        var samples: [Int64] = []
        while !Task.isCancelled {
            if let sample = Self.residentMemory(of: processID) { samples.append(sample) }
            try? await Task.sleep(for: .milliseconds(500))
        }
        return samples
    }
}
