import BackendKit
import CurlTransfer
import FoundationEssentials
import ImageCatalog
import ImageModel
import LocationSelection
import RelayEngine
import Telemetry
import Verification

/// The metrics whose values are read from the running parts when the page is requested.
struct LiveMetrics {
    let catalog: any Catalog
    let relays: Relays
    let loops: [TransferLoop]
    let maintenance: Maintenance
    let log: LogOutput

    func register(in registry: MetricsRegistry) {
        ProcessMetrics.register(in: registry)
        registry.gauge("baton_build_info", "Always 1, with the version as a label.", labels: ["version"]) {
            [([Baton.version], 1)]
        }
        registry.counter(
            "baton_log_lines_dropped_total", "Log lines that were dropped because the reader of the log did not keep up."
        ) { [log] in
            [([], Double(log.droppedLines))]
        }
        registerRelays(in: registry)
        registerMemory(in: registry)
        registerBackends(in: registry)
        registerLocations(in: registry)
        registerUploads(in: registry)
    }

    private func registerUploads(in registry: MetricsRegistry) {
        func gauge(_ name: String, _ help: String, _ value: @escaping @Sendable (UploadStatistics.Count) -> Double) {
            registry.gauge(name, help, labels: ["state"]) { [catalog] in
                guard let statistics = try? await catalog.uploadStatistics() else { return [] }
                return [(["used"], value(statistics.used)), (["orphaned"], value(statistics.orphaned))]
            }
        }
        gauge("baton_uploads", "Uploaded files, by whether an image has them.") { Double($0.files) }
        gauge("baton_upload_bytes", "Bytes of uploaded files, by whether an image has them.") { Double($0.bytes) }
    }

    private func registerRelays(in registry: MetricsRegistry) {
        registry.gauge("baton_relays_open", "Running downloads.") { [relays] in [([], Double(relays.running.count))] }
        registry.counter(
            "baton_relay_bytes_total", "Image bytes read from each backend for downloads, counted as they arrive.",
            labels: ["backend"]
        ) { [relays] in
            relays.health.bytesTaken.sorted { $0.key < $1.key }.map { (labels: [$0.key.name], value: Double($0.value)) }
        }
        registry.gauge("baton_slab_bytes", "Memory of buffers in use, and of buffers kept for reuse.") { [loops] in
            [([], Double(loops.reduce(0) { $0 + $1.slabBytes }))]
        }
    }

    private func registerMemory(in registry: MetricsRegistry) {
        registry.gauge("baton_relay_memory_limit_bytes", "The memory limit of all downloads together.") { [relays] in
            [([], Double(relays.memory.limit))]
        }
        registry.gauge("baton_relay_memory_reserved_bytes", "Memory that downloads have reserved.") { [relays] in
            [([], Double(relays.memory.counts.reserved))]
        }
        registry.gauge("baton_relay_memory_waiting", "Downloads that wait for memory.") { [relays] in
            [([], Double(relays.memory.counts.waiting))]
        }
        registry.counter(
            "baton_downloads_turned_away_total", "Downloads that were refused before they began.", labels: ["reason"]
        ) { [relays] in
            let counts = relays.memory.counts
            return [(["memory"], Double(counts.refusedForMemory)), (["caller"], Double(counts.refusedForCaller))]
        }
    }

    private func registerBackends(in registry: MetricsRegistry) {
        func gauge(_ name: String, _ help: String, _ value: @escaping @Sendable (BackendHealth) -> Double?) {
            registry.gauge(name, help, labels: ["backend"]) { [relays] in
                relays.registry.all.compactMap { backend in
                    value(relays.health[backend.id]).map { ([backend.id.name], $0) }
                }
            }
        }
        gauge("baton_backend_attempts_running", "Running download attempts at each backend.") { Double($0.running) }
        gauge("baton_backend_first_byte_seconds", "Time to the first byte, as location selection estimates it.") {
            $0.firstByte.value
        }
        gauge("baton_backend_throughput_bytes_per_second", "Throughput, as location selection estimates it.") {
            $0.throughput.value
        }
        registry.gauge(
            "baton_backend_breaker_state", "1 for the current state of each backend's breaker, 0 for the other states.",
            labels: ["backend", "state"]
        ) { [relays] in
            relays.registry.all.flatMap { backend in
                let state = relays.health[backend.id].breaker.state
                return Breaker.State.allCases.map {
                    (labels: [backend.id.name, $0.rawValue], value: $0 == state ? 1.0 : 0.0)
                }
            }
        }
    }

    private func registerLocations(in registry: MetricsRegistry) {
        let statistics: @Sendable () async -> LocationStatistics? = { [catalog, interval = maintenance.scrubInterval] in
            // Without scrubs no verification is too old; locations that were never verified still count.
            try? await catalog.statistics(verifiedBefore: interval > .zero ? .now - interval / .seconds(1) : .distantPast)
        }
        registry.gauge("baton_locations", "Locations by their status.", labels: ["status"]) {
            guard let counts = await statistics()?.counts else { return [] }
            return LocationStatus.allCases.map { (labels: [$0.rawValue], value: Double(counts[$0] ?? 0)) }
        }
        registry.gauge("baton_scrub_due_locations", "Active locations without a full read within maintenance.scrub_interval.") {
            await statistics().map { [([], Double($0.withoutRecentRead))] } ?? []
        }
        registry.gauge("baton_scrub_oldest_verification_seconds", "Age of the oldest verification of an active location.") {
            await statistics()?.oldestVerification.map { [([], -$0.timeIntervalSinceNow)] } ?? []
        }
        registry.gauge(
            "baton_representations", "Representations that are not empty, by whether they have a manifest.",
            labels: ["manifest"]
        ) {
            guard let statistics = await statistics() else { return [] }
            let without = max(0, statistics.representations - statistics.manifests)
            return [(["present"], Double(statistics.manifests)), (["missing"], Double(without))]
        }
        registry.counter(
            "baton_background_read_bytes_total", "Bytes read to verify locations.", labels: ["purpose"]
        ) { [maintenance] in
            [
                (["verification"], Double(maintenance.verificationPace.bytesRead)),
                (["scrub"], Double(maintenance.scrubPace.bytesRead)),
                (["manifest"], Double(maintenance.manifestPace.bytesRead)),
            ]
        }
    }
}
