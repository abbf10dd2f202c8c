import AdminContract
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

/// `GET /baton/v1/images/{id}/explain`: the selection that a download would use now, with the reason for each rank and rejection.
struct ExplainRoute: Sendable {
    let catalog: any Catalog
    let relays: Relays
    let holds: PendingIntegrityHolds
    let planner: DownloadPlanner

    func explain(_ request: Request, context: APIContext) async throws -> Response {
        let id = try context.imageID()
        let format = try RequestedFormat(request)
        guard let resolution = try await catalog.resolve(id, format: format) else {
            throw APIError.notFound(image: id.description)
        }
        let purpose = try purpose(of: request)
        let representation = resolution.representation.map { holds.applyingHolds(to: $0) }
        var planned: DownloadPlanner.PlannedDownload?
        if let representation { planned = await planner.plan(resolution, representation) }
        let requirement = purpose == .whole ? .whole : planned?.plan.rangeRequirement ?? .range
        let size = representation?.size ?? 0
        let selection = relays.select(resolution.locations, for: requirement, size: size, isExploring: false)
        var rejected: [RejectedDocument] = []
        for item in selection.rejected { rejected.append(try await document(of: item)) }
        return try ExplainDocument(
            image: id, format: resolution.format, formats: resolution.formats, strategy: relays.strategy.rawValue,
            purpose: purpose,
            representation: representation.map {
                RepresentationDocument($0, servesRanges: planned?.plan.servesRanges ?? false)
            },
            // A manifest that can't be read verifies nothing.
            manifest: (planned?.manifest).map { ManifestDocument($0.layout) },
            ranked: selection.ranked.enumerated().map { document(of: $1, rank: $0 + 1) }, rejected: rejected
        ).response()
    }

    private func purpose(of request: Request) throws(APIError) -> ExplainDocument.Purpose {
        guard let text = request.uri.queryParameters[AdminQuery.purpose.rawValue[...]] else { return .whole }
        guard let purpose = ExplainDocument.Purpose(rawValue: String(text)) else {
            throw .badRequest("for must be whole or range, not \(text.excerpt(32)).")
        }
        return purpose
    }

    private func document(of ranked: Selection.Ranked, rank: Int) -> RankedDocument {
        let throughput = relays.health[ranked.location.backend].throughput.value
        return RankedDocument(
            explained(ranked.location, why: why(ranked)), rank: rank, standing: ranked.standing.rawValue, cost: ranked.cost,
            bytesPerSecond: throughput.map { $0.rounded() })
    }

    private func document(of rejected: Selection.Rejected) async throws -> RejectedDocument {
        RejectedDocument(
            explained(rejected.location, why: try await why(rejected)), reason: rejected.reason.rawValue)
    }

    private func explained(_ location: Location, why: String) -> ExplainedLocation {
        let last = relays.health.lastFailure(of: location.id).map {
            LastFailureDocument(time: $0.time, reason: $0.failure.reason.rawValue, detail: $0.failure.detail)
        }
        return ExplainedLocation(location, lastFailure: last, why: why)
    }

    private func why(_ ranked: Selection.Ranked) -> String {
        let location = ranked.location
        let rank =
            switch relays.strategy {
            case .ordered: "tier \(location.tier), in the order of registration"
            case .weighted: "tier \(location.tier), weight \(location.weight)"
            case .measured: "tier \(location.tier), estimated \(seconds(ranked.cost)) s for the whole read"
            }
        return switch ranked.standing {
        case .regular, .explored: rank
        case .failedLately: "ranked behind the others because it failed recently; otherwise \(rank)"
        case .resting: "ranked behind the others because its backend asked for a pause; otherwise \(rank)"
        case .breakerOpen: "ranked behind the others until a probe of its backend succeeds; otherwise \(rank)"
        case .suspect: "ranked last because it contributed to a failed verification and is not cleared; otherwise \(rank)"
        }
    }

    /// Formats a duration to the millisecond.
    private func seconds(_ cost: Double) -> String { "\((cost * 1000).rounded() / 1000)" }

    private func why(_ rejected: Selection.Rejected) async throws -> String {
        let location = rejected.location
        switch rejected.reason {
        case .noBackend: return "its backend \(location.backend) is not configured"
        case .neverRead: return "it was never read in full, so its ranges can't be trusted"
        case .noValidator: return "it has no validator to pin its object, so its ranges can't be trusted"
        case .suspect: return "it contributed to a failed verification and is not cleared, so its ranges can't be trusted"
        case .status:
            let status = location.state.status
            guard let cause = try await catalog.history(of: location.id).last(where: { $0.to == status }) else {
                return "it is \(status.rawValue)"
            }
            return "it is \(status.rawValue): \(cause.reason) (\(cause.actor), \(cause.time.formatted(.iso8601)))"
        }
    }
}
