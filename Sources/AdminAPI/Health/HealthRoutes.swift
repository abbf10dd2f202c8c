package import HTTPServing
import HTTPTypes
package import Hummingbird
package import ImageCatalog
import ImageModel
import NIOCore
package import Telemetry

/// `/healthz`, `/readyz` and `/metrics`, for supervisors and monitoring.
package struct HealthRoutes: Sendable {
    private let catalog: any Catalog
    private let metrics: MetricsRegistry
    private let drain: Drain

    /// - Parameters:
    ///   - catalog: must answer before the server is ready.
    ///   - metrics: the counters and gauges of the process.
    ///   - drain: whether the server is shutting down.
    package init(catalog: any Catalog, metrics: MetricsRegistry, drain: Drain) {
        self.catalog = catalog
        self.metrics = metrics
        self.drain = drain
    }

    /// Registers every path.
    package func add(to router: Router<APIContext>) {
        router.resource("healthz", [.get: { _, _ in try JSONValue.object(["status": .string("ok")]).response() }])
        router.resource("readyz", [.get: ready])
        router.resource("metrics", [.get: page])
    }

    private func ready(_ request: Request, context: APIContext) async throws -> Response {
        guard !drain.hasBegun else { throw APIError(.serviceUnavailable, "The server is about to stop.") }
        do {
            _ = try await catalog.image(ImageID())
        } catch {
            // The route needs no token, so details go to the log only.
            throw APIError(.serviceUnavailable, "The catalog does not answer.")
        }
        return try JSONValue.object(["status": .string("ok")]).response()
    }

    private func page(_ request: Request, context: APIContext) async throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: await metrics.page())))
    }
}
