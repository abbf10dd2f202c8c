import BackendKit
import FoundationEssentials
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageModel
import LocationSelection
import RelayEngine

/// `GET /baton/v1/backends`: every configured backend, and what this process has seen of it lately.
struct BackendsRoute: Sendable {
    let relays: Relays

    func list(_ request: Request, context: APIContext) async throws -> Response {
        let now = ContinuousClock.now
        return try JSONValue.object([
            "backends": .array(relays.registry.all.map { document(of: $0, relays.health(of: $0.id), now) })
        ]).response()
    }

    private func document(of backend: Backend, _ health: BackendHealth, _ now: ContinuousClock.Instant) -> JSONValue {
        func date(_ instant: ContinuousClock.Instant?) -> JSONValue {
            instant.map { .time(Date.now + ($0 - now) / .seconds(1)) } ?? .null
        }
        return .object([
            "id": .string(backend.id.name), "url": .string(backend.urlPrefix),
            "running": .integer(Int64(health.running)),
            "first_byte_seconds": health.firstByte.value.map { .number($0) } ?? .null,
            "bytes_per_second": health.throughput.value.map { .number($0.rounded()) } ?? .null,
            "rests_until": health.rests(at: now) ? date(health.restsUntil) : .null,
            "breaker": .object([
                "state": .string(health.breaker.state.rawValue), "failures": .integer(Int64(health.breaker.failures)),
                "probe_due_at": date(health.breaker.probeDueAt),
            ]),
        ])
    }
}
