import BatonConfig
import CurlTransfer
import Downloads
import ImageCatalog
import LocationLifecycle
import Logging
import RelayEngine
import ServiceLifecycle
import Telemetry
import Verification

/// The parts that maintain locations, created from the configuration.
struct Maintenance {
    let statusChanges: LocationStatusChanges
    let verifications: VerificationQueue
    let activation: LocationActivation
    let probe: ObjectProbe
    let verificationPace: ReadRateLimiter
    let scrubPace: ReadRateLimiter
    let manifestPace: ReadRateLimiter
    private let verifier: Verifier
    /// The age of a verification at which a scrub renews it; zero disables scrubs.
    let scrubInterval: Duration
    /// The background services that run until the server stops.
    let services: [any Service]

    /// - Parameter loop: the loop for full reads.
    init(
        _ configuration: BatonConfiguration, catalog: any Catalog, relays: Relays, holds: PendingIntegrityHolds,
        loop: TransferLoop,
        metrics: MetricsRegistry, logger: Logger
    ) {
        let maintenance = configuration.maintenance
        verificationPace = ReadRateLimiter(bytesPerSecond: Int64(maintenance.readRate.count))
        scrubPace = ReadRateLimiter(bytesPerSecond: Int64(maintenance.scrubRate.count))
        manifestPace = ReadRateLimiter(sharing: scrubPace)
        scrubInterval = maintenance.scrubInterval
        let schedule = ReadSchedule(
            recheck: maintenance.recheck, missInterval: maintenance.missInterval,
            scrubInterval: maintenance.scrubInterval > .zero ? maintenance.scrubInterval : nil)
        statusChanges = LocationStatusChanges(
            catalog: catalog, relays: relays, schedule: schedule, deleteDelay: maintenance.deleteDelay)
        verifier = Verifier(
            catalog: catalog, statusChanges: statusChanges, schedule: schedule, registry: relays.registry, loop: loop,
            settings: configuration.readSettings, chunkSize: configuration.chunkSize, metrics: metrics, logger: logger)
        verifications = VerificationQueue(
            verifier: verifier, pace: verificationPace, readers: maintenance.readers,
            logger: logger)
        probe = ObjectProbe(
            registry: relays.registry, loop: relays.nextLoop(),
            timeout: configuration.probeTimeout)
        activation = LocationActivation(
            rule: configuration.activation.rule, locations: catalog, statusChanges: statusChanges,
            requestRead: { [verifications] in verifications.enqueue($0) }, probe: probe, health: relays.health, logger: logger)
        let scrubber = Scrubber(
            verifications: catalog, verifier: verifier, schedule: schedule, pace: scrubPace,
            roundInterval: maintenance.interval, logger: logger)
        let rounds = MaintenanceLoop(
            locations: catalog, statusChanges: statusChanges, activation: activation, verifications: verifications,
            writeHolds: { try await holds.writeAll() }, interval: maintenance.interval, logger: logger)
        let probes = HalfOpenProbes(locations: catalog, health: relays.health, probe: probe, logger: logger)
        let manifests = EagerManifests(
            manifests: catalog, verifier: verifier, statusChanges: statusChanges, relays: relays, pace: manifestPace,
            readers: maintenance.readers, interval: maintenance.interval, logger: logger)
        services = [verifications, scrubber, rounds, probes] + (configuration.manifests.eager ? [manifests] : [])
    }
}

extension Maintenance {
    /// A registrar whose full reads are those of this maintenance.
    func registrar(for catalog: any Catalog) -> LocationRegistrar {
        let checks = BackendChecks(locations: catalog, activation: activation, probe: probe) {
            [verifications] location, limit in
            guard case .unreadable(let failure) = await verifications.verify(location, within: limit) else { return nil }
            return failure
        }
        return LocationRegistrar(catalog: catalog, checks: checks, statusChanges: statusChanges)
    }

    /// Applies another configuration, as far as that is possible without a restart.
    func configure(_ configuration: BatonConfiguration) {
        verifier.settings = configuration.readSettings
        probe.timeout = configuration.probeTimeout
    }
}

extension BatonConfiguration {
    fileprivate var readSettings: Verifier.Settings {
        .init(
            stallTimeout: relay.policy.stallTimeout, isInspectingFormat: uploads.isInspectingFormat,
            sizeLimit: Int64(uploads.maximumSize.count))
    }

    fileprivate var probeTimeout: Duration { relay.connectTimeout + relay.policy.stallTimeout }
}

extension BatonConfiguration.Activation {
    fileprivate var rule: ActivationRule {
        switch self {
        case .probe: .probe
        case .verify: .verify
        }
    }
}
