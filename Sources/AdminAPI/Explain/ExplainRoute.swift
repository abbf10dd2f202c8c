import BackendKit
import Downloads
import FoundationEssentials
import GlanceAPI
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel
import LocationSelection
import RelayEngine

/// `GET /baton/v1/images/{id}/explain`: where a download would come from now, and why from nowhere else.
struct ExplainRoute: Sendable {
    let catalog: any CatalogStore
    let relays: Relays
    let holds: PendingIntegrityHolds
    let planner: DownloadPlanner

    func explain(_ request: Request, context: APIContext) async throws -> Response {
        let id = try context.imageID()
        let format = try RequestedFormat(request)
        guard let resolution = try await catalog.resolve(id, format: format) else {
            throw APIError.notFound(image: id.description)
        }
        let purpose = request.uri.queryParameters["for"] ?? "whole"
        guard ["whole", "range"].contains(purpose) else {
            throw APIError.badRequest("for must be whole or range, not \(purpose.excerpt(32)).")
        }
        let representation = resolution.representation.map { holds.applyingHolds(to: $0) }
        var planned: DownloadPlanner.PlannedDownload?
        if let representation { planned = await planner.plan(resolution, representation) }
        let need = purpose == "whole" ? .whole : planned?.plan.rangeNeed ?? .range
        let size = representation?.size ?? 0
        let selection = relays.select(resolution.locations, for: need, size: size, isExploring: false)
        var rejected: [JSONValue] = []
        for item in selection.rejected { rejected.append(try await document(of: item)) }
        return try JSONValue.object([
            "image": .string(id.description), "format": .optional(resolution.format?.description),
            "formats": .array(resolution.formats.map { .string($0.description) }),
            "strategy": .string(relays.strategy.rawValue), "for": .string(String(purpose)),
            "representation": representation.map { document(of: $0, servesRanges: planned?.plan.servesRanges ?? false) }
                ?? .null,
            // One that can't be read verifies nothing.
            "manifest": (planned?.manifest).map { document(of: $0.layout) } ?? .null,
            "ranked": .array(selection.ranked.enumerated().map { document(of: $1, rank: $0 + 1) }),
            "rejected": .array(rejected),
        ]).response()
    }

    private func document(of layout: ChunkLayout) -> JSONValue {
        .object([
            "algorithm": .string(layout.algorithm.rawValue), "chunk_size": .integer(layout.chunkSize),
            "chunks": .integer(Int64(layout.count)),
        ])
    }

    private func document(of representation: Representation, servesRanges: Bool) -> JSONValue {
        .object([
            "size": .integer(representation.size), "digest": .string(representation.identity.description),
            "integrity_hold": .boolean(representation.isOnIntegrityHold),
            "digest_conflict": .boolean(representation.hasDigestConflict),
            "serves_ranges": .boolean(servesRanges),
            "held_since": representation.lastMismatchAt.map { .time($0) } ?? .null,
        ])
    }

    private func document(of ranked: Selection.Ranked, rank: Int) -> JSONValue {
        var fields = document(of: ranked.location)
        fields["rank"] = .integer(Int64(rank))
        fields["standing"] = .string(ranked.standing.rawValue)
        fields["cost"] = .number(ranked.cost)
        fields["bytes_per_second"] =
            relays.health(of: ranked.location.backend).throughput.value.map { .number($0.rounded()) } ?? .null
        fields["why"] = .string(why(ranked))
        return .object(fields)
    }

    private func document(of rejected: Selection.Rejected) async throws -> JSONValue {
        var fields = document(of: rejected.location)
        fields["reason"] = .string(rejected.reason.rawValue)
        fields["why"] = .string(try await why(rejected))
        return .object(fields)
    }

    private func document(of location: Location) -> [String: JSONValue] {
        [
            "location": .string(location.id.description), "backend": .string(location.backend.name),
            "url": .string(location.url), "status": .string(location.state.status.rawValue),
            "tier": .integer(Int64(location.tier)), "weight": .integer(Int64(location.weight)),
            "verified_at": location.verifiedAt.map { .time($0) } ?? .null,
            "last_failure": relays.lastFailure(of: location.id).map { document(of: $0) } ?? .null,
        ]
    }

    private func document(of last: LastFailure) -> JSONValue {
        .object([
            "time": .time(last.time), "reason": .string(last.failure.reason.rawValue), "detail": .string(last.failure.detail),
        ])
    }

    private func why(_ ranked: Selection.Ranked) -> String {
        let location = ranked.location
        let place =
            switch relays.strategy {
            case .ordered: "tier \(location.tier), in the order of registration"
            case .weighted: "tier \(location.tier), weight \(location.weight)"
            case .measured: "tier \(location.tier), \(seconds(ranked.cost)) s for all of it, as its backend was measured"
            }
        return switch ranked.standing {
        case .regular, .explored: place
        case .failedLately: "failed a short while ago, so it stands behind the others; else \(place)"
        case .resting: "its backend asked to be left alone for a while, so it stands behind the others; else \(place)"
        case .breakerOpen: "its backend failed time and again, so it is tried last until a probe read works; else \(place)"
        case .suspect: "contributed to a download that did not match and is not cleared yet, so it stands last; else \(place)"
        }
    }

    /// Three digits are more than a measure is worth.
    private func seconds(_ cost: Double) -> String { "\((cost * 1000).rounded() / 1000)" }

    private func why(_ rejected: Selection.Rejected) async throws -> String {
        let location = rejected.location
        switch rejected.reason {
        case .noBackend: return "its backend \(location.backend) is not in the configuration"
        case .unverified: return "it was never read in full, so no range of it can be trusted"
        case .noValidator: return "nothing is known that pins its object, so no range of it can be trusted"
        case .suspect: return "it contributed to a failed verification and is not cleared, so no range of it can be trusted"
        case .status:
            let status = location.state.status
            guard let cause = try await catalog.history(of: location.id).last(where: { $0.to == status }) else {
                return "it is \(status.rawValue)"
            }
            return "it is \(status.rawValue): \(cause.reason) (\(cause.actor), \(cause.time.formatted(.iso8601)))"
        }
    }
}
