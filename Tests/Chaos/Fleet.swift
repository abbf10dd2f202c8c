import ChaosPlan
import FaultyOrigin
import Servers

/// The running processes: the origins, the stores, and Baton in front of them.
struct Fleet {
    let injector: FaultInjector
    let targets: [TargetKind: any Target]
    /// The targets that this machine cannot provide, with the reason.
    let unavailable: [(kind: TargetKind, reason: String)]
    let baton: BatonPeer

    /// - Parameters:
    ///   - pace: the rate limit of one response of an origin, in bytes per second.
    ///   - kinds: the targets that are needed.
    init(pace: Int64?, kinds: Set<TargetKind>) async throws {
        let injector = FaultInjector(pace: pace)
        let nothing = PatternedContent(size: 1, seed: 0)
        let origins = try (0..<3).map { location in
            try FaultyOrigin(nothing) { injector.behaviour(for: $0, at: location) }
        }
        let good = OriginsTarget(origins: origins, injector: injector)
        let directory = try TestDirectory()
        var targets: [TargetKind: any Target] = [.scripted: good]
        var unavailable: [(kind: TargetKind, reason: String)] = []
        for kind in TargetKind.allCases where kinds.contains(kind) && targets[kind] == nil {
            do {
                targets[kind] = try await Self.target(of: kind, good, directory)
            } catch let error as Unavailable {
                unavailable.append((kind, error.reason))
            }
        }
        var backends: [String: String] = [:]
        for (index, origin) in origins.enumerated() {
            backends["origin\(index)"] = #"driver: http, url: "\#(origin.url(""))""#
        }
        var environment: [String: String] = [:]
        for target in targets.values {
            backends.merge(target.backends) { first, _ in first }
            environment.merge(target.environment) { first, _ in first }
        }
        baton = try await BatonPeer(
            backends: backends, directory: directory, environment: environment, wrapper: targets.values.flatMap(\.wrapper))
        self.injector = injector
        self.targets = targets
        self.unavailable = unavailable
    }

    private static func target(
        of kind: TargetKind, _ good: OriginsTarget, _ directory: TestDirectory
    ) async throws -> (any Target)? {
        switch kind {
        case .scripted: nil
        case .nginx: try await NginxTarget(good: good)
        case .network: try await NetworkTarget(good: good)
        case .link: try await LinkTarget(good: good)
        case .file: try FileTarget(good: good)
        case .machine: try MachineTarget(good: good, directory: directory)
        case .swift: try await OpenStackSwiftTarget(good: good)
        }
    }
}
