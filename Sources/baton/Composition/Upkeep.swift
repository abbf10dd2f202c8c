internal import BatonConfig
internal import CurlTransfer
internal import ImageCatalog
internal import LocationUpkeep
internal import Logging
internal import RelayEngine
internal import ServiceLifecycle
internal import Telemetry

/// Everything that looks after locations, put together from the configuration.
struct Upkeep {
    let lifecycle: LocationLifecycle
    let proofs: ProofQueue
    let activation: LocationActivation
    let inquiry: ObjectInquiry
    let proofPace: ReadPace
    let scrubPace: ReadPace
    let manifestPace: ReadPace
    private let verifier: Verifier
    /// How old a proof may be; nothing for any age.
    let scrubInterval: Duration
    /// What works in the background until the server stops.
    let services: [any Service]

    /// - Parameter loop: whose thread reads locations in full.
    init(
        _ configuration: BatonConfiguration, catalog: any CatalogStore, relays: Relays, doubts: PendingDoubts,
        loop: TransferLoop,
        metrics: MetricsRegistry, logger: Logger
    ) {
        let upkeep = configuration.upkeep
        proofPace = ReadPace(bytesPerSecond: Int64(upkeep.readRate.count))
        scrubPace = ReadPace(bytesPerSecond: Int64(upkeep.scrubRate.count))
        manifestPace = ReadPace(sharing: scrubPace)
        scrubInterval = upkeep.scrubInterval
        let schedule = ReadSchedule(
            recheck: upkeep.recheck, missInterval: upkeep.missInterval,
            scrubInterval: upkeep.scrubInterval > .zero ? upkeep.scrubInterval : nil)
        lifecycle = LocationLifecycle(
            catalog: catalog, relays: relays, schedule: schedule, deleteDelay: upkeep.deleteDelay)
        verifier = Verifier(
            catalog: catalog, lifecycle: lifecycle, schedule: schedule, registry: relays.registry, loop: loop,
            settings: configuration.readSettings, chunkSize: configuration.chunkSize, metrics: metrics, logger: logger)
        proofs = ProofQueue(
            verifier: verifier, pace: proofPace, readers: upkeep.readers,
            logger: logger)
        inquiry = ObjectInquiry(
            registry: relays.registry, loop: relays.nextLoop(),
            timeout: configuration.inquiryTimeout)
        activation = LocationActivation(
            rule: configuration.activation.rule, catalog: catalog, lifecycle: lifecycle, proofs: proofs,
            inquiry: inquiry, relays: relays, logger: logger)
        let scrubber = Scrubber(
            catalog: catalog, verifier: verifier, schedule: schedule, pace: scrubPace, roundInterval: upkeep.round,
            logger: logger)
        let rounds = DueRounds(
            catalog: catalog, lifecycle: lifecycle, activation: activation, proofs: proofs, doubts: doubts,
            interval: upkeep.round, logger: logger)
        let trials = BreakerTrials(catalog: catalog, relays: relays, inquiry: inquiry, logger: logger)
        let manifests = EagerManifests(
            catalog: catalog, verifier: verifier, lifecycle: lifecycle, relays: relays, pace: manifestPace,
            readers: upkeep.readers, interval: upkeep.round, logger: logger)
        services = [proofs, scrubber, rounds, trials] + (configuration.manifests.eager ? [manifests] : [])
    }
}

extension Upkeep {
    /// Goes by another configuration from now on, as far as that is possible without a restart.
    func configure(_ configuration: BatonConfiguration) {
        verifier.settings = configuration.readSettings
        inquiry.timeout = configuration.inquiryTimeout
    }
}

extension BatonConfiguration {
    fileprivate var readSettings: Verifier.Settings {
        .init(
            stallTimeout: relay.stallTimeout, inspectsFormat: uploads.inspectsFormat,
            sizeLimit: Int64(uploads.maximumSize.count))
    }

    fileprivate var inquiryTimeout: Duration { relay.connectTimeout + relay.stallTimeout }
}

extension BatonConfiguration.Activation {
    fileprivate var rule: ActivationRule {
        switch self {
        case .probe: .probe
        case .verify: .verify
        }
    }
}
