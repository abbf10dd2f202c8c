import Access
import FoundationEssentials
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel
import LocationLifecycle
import Verification

/// `/baton/v1/locations/{id}` and the operations below it.
struct LocationOperationRoutes: Sendable {
    let catalog: any CatalogStore
    let statusChanges: LocationStatusChanges
    let verifications: VerificationQueue

    /// What operators can ask of a location, by the last part of the path.
    static let operations: [(name: String, event: LocationEvent)] = [
        ("verify", .verify), ("disable", .disable), ("enable", .enable), ("quarantine", .quarantine), ("delete", .delete),
        ("restore", .restore),
    ]

    func show(_ request: Request, context: APIContext) async throws -> Response {
        let location = try await location(context)
        guard case .object(var document) = JSONValue.location(location) else { return Response(status: .ok) }
        // How far a full read is, as of the last time it was written down.
        document["read_position"] =
            try await catalog.readProgress(of: location.id).map { .integer($0.position) } ?? .null
        return try JSONValue.object(document).response()
    }

    func edit(_ request: Request, context: APIContext) async throws -> Response {
        let location = try await location(context)
        var body = try await RequestObject(request, for: context, upTo: JSONValue.largestLimit)
        var edit = LocationEdit()
        edit.weight = try body.weight()
        edit.tier = try body.tier()
        edit.metadata = try body.metadata()
        let reason = try body.string("reason", limit: 1000) ?? "edited"
        try body.rejectUnknown(known: "weight, tier, metadata and reason")
        let edited = try await catalog.edit(
            location.id, edit, actor: context.caller.user, reason: reason, at: .now)
        return try JSONValue.location(edited).response()
    }

    func history(_ request: Request, context: APIContext) async throws -> Response {
        let id = try await location(context).id
        // Entries have no name but their place: nothing is ever put between them.
        let entries = Array(try await catalog.history(of: id).enumerated())
        var page = JSONPage()
        let rest = try Marker.rest(of: entries, QueryItems(request.uri.query)) { "\($0.offset)" }
        let last = try await page.fill(with: rest, for: context) { .historyEntry($0.element) }
        let next = last.map { Marker.next("/baton/v1/locations/\(id)/history", behind: "\($0.offset)") }
        return try page.response("history", next.map { ["next": $0] } ?? [:])
    }

    /// Runs one operation.
    func run(_ event: LocationEvent, _ request: Request, context: APIContext) async throws -> Response {
        let location = try await location(context)
        var body = try await RequestObject(request, for: context, isOptional: true)
        let reason = try body.string("reason", limit: 1000) ?? "asked for by an operator"
        let isForced = try force(request, &body)
        try body.rejectUnknown(known: event == .delete ? "reason and force" : "reason")
        let wasActive = location.state.status == .active
        let changed = try await statusChanges.apply(
            event, to: location, actor: context.caller.user, reason: reason, isForced: isForced)
        if event == .verify { verifications.enqueue(location.id) }
        let isAccepted = event == .verify && wasActive
        return try JSONValue.location(changed).response(status: isAccepted ? .accepted : .ok)
    }

    private func force(_ request: Request, _ body: inout RequestObject) throws -> Bool {
        let asked = try body.boolean("force") ?? false
        guard let text = request.uri.queryParameters["force"] else { return asked }
        guard text == "true" || text == "false" else { throw APIError.badRequest("force must be true or false.") }
        return asked || text == "true"
    }

    private func location(_ context: APIContext) async throws -> Location {
        let text = context.parameters.get("id") ?? ""
        guard let id = LocationID(text), let location = try await catalog.location(id) else {
            throw APIError(.notFound, "There is no location \(text.excerpt(64)).")
        }
        return location
    }
}

extension RequestObject {
    mutating func weight() throws -> Int? { try integer("weight", in: -1_000_000...1_000_000).map { Int($0) } }

    mutating func tier() throws -> Int? { try integer("tier", in: 0...1_000_000).map { Int($0) } }

    mutating func metadata() throws -> [String: String]? {
        guard var words = try object("metadata") else { return nil }
        return try words.remainingStrings(of: "metadata")
    }
}
