import AdminContract
import BackendKit
import FoundationEssentials
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageModel
import LocationSelection
import RelayEngine

/// `GET /baton/v1/backends`: every configured backend, and the health that this process has measured.
struct BackendsRoute: Sendable {
    let registry: BackendRegistry
    let health: HealthRecord

    func list(_ request: Request, context: APIContext) async throws -> Response {
        let now = ContinuousClock.now
        return try Page(registry.all.map { document(of: $0, health[$0.id], now) }).response()
    }

    private func document(
        of backend: Backend, _ health: BackendHealth, _ now: ContinuousClock.Instant
    ) -> BackendDocument {
        func date(_ instant: ContinuousClock.Instant?) -> Date? { instant.map { Date.now + ($0 - now) / .seconds(1) } }
        let breaker = BackendDocument.Breaker(
            state: health.breaker.state.rawValue, failures: health.breaker.failures,
            probeDueAt: date(health.breaker.probeDueAt))
        return BackendDocument(
            id: backend.id, url: backend.urlPrefix, running: health.running, firstByteSeconds: health.firstByte.value,
            bytesPerSecond: health.throughput.value.map { $0.rounded() },
            restsUntil: health.rests(at: now) ? date(health.restsUntil) : nil, breaker: breaker)
    }
}
