import Access
import AdminContract
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
    let catalog: any Catalog
    let statusChanges: LocationStatusChanges
    let verifications: VerificationQueue

    func show(_ request: Request, context: APIContext) async throws -> Response {
        let location = try await location(context)
        let progress = try await catalog.readProgress(of: location.id)
        return try LocationDetail(LocationDocument(location), readPosition: progress?.position).response()
    }

    /// Reads a `LocationChange` member by member, so that each error names its member.
    func edit(_ request: Request, context: APIContext) async throws -> Response {
        let location = try await location(context)
        var body = try await RequestObject(request, for: context, upTo: JSONValue.largestLimit)
        var edit = LocationEdit()
        edit.weight = try body.weight()
        edit.tier = try body.tier()
        edit.metadata = try body.metadata()
        let reason = try body.reason() ?? "edited"
        try body.rejectUnknown(known: LocationChange.CodingKeys.sentence)
        let edited = try await catalog.edit(
            location.id, edit, actor: context.caller.user, reason: reason, at: .now)
        return try LocationDocument(edited).response()
    }

    func history(_ request: Request, context: APIContext) async throws -> Response {
        let id = try await location(context).id
        // An entry is named by its index, which never changes: entries are only appended.
        let entries = Array(try await catalog.history(of: id).enumerated())
        var page = JSONPage()
        let rest = try Marker.rest(of: entries, QueryItems(request.uri.query)) { "\($0.offset)" }
        let last = try await page.fill(with: rest, for: context) { HistoryDocument($0.element) }
        return try page.response(
            of: HistoryDocument.self, next: last.map { Marker.next(AdminPath.history(of: id), behind: "\($0.offset)") })
    }

    /// Runs one operation.
    func run(_ operation: OperationName, _ request: Request, context: APIContext) async throws -> Response {
        typealias Member = OperationRequest.CodingKeys
        let event = operation.event
        let location = try await location(context)
        var body = try await RequestObject(request, for: context, isOptional: true)
        let reason = try body.reason() ?? "requested by an operator"
        let isForced = try force(request, &body)
        try body.rejectUnknown(known: event == .delete ? Member.sentence : Member.reason.rawValue)
        let wasActive = location.state.status == .active
        let changed = try await statusChanges.apply(
            event, to: location, actor: context.caller.user, reason: reason, isForced: isForced)
        if event == .verify { verifications.enqueue(location.id) }
        let isAccepted = event == .verify && wasActive
        return try LocationDocument(changed).response(status: isAccepted ? .accepted : .ok)
    }

    private func force(_ request: Request, _ body: inout RequestObject) throws -> Bool {
        let isInBody = try body.boolean(OperationRequest.CodingKeys.force.rawValue) ?? false
        guard let text = request.uri.queryParameters[AdminQuery.force.rawValue[...]] else { return isInBody }
        guard text == "true" || text == "false" else { throw APIError.badRequest("force must be true or false.") }
        return isInBody || text == "true"
    }

    private func location(_ context: APIContext) async throws -> Location {
        let text = context.parameters.get("id") ?? ""
        guard let id = LocationID(text), let location = try await catalog.location(id) else {
            throw APIError(.notFound, "There is no location \(text.excerpt(64)).")
        }
        return location
    }
}

// The members that several requests have.
extension RequestObject {
    mutating func weight() throws -> Int? {
        try integer(LocationChange.CodingKeys.weight.rawValue, in: -1_000_000...1_000_000).map { Int($0) }
    }

    mutating func tier() throws -> Int? {
        try integer(LocationChange.CodingKeys.tier.rawValue, in: 0...1_000_000).map { Int($0) }
    }

    mutating func metadata() throws -> [String: String]? {
        let name = LocationChange.CodingKeys.metadata.rawValue
        guard var words = try object(name) else { return nil }
        return try words.remainingStrings(of: name)
    }

    /// The reason for the location's history.
    mutating func reason() throws -> String? { try string(LocationChange.CodingKeys.reason.rawValue, limit: 1000) }
}

extension HistoryDocument {
    init(_ entry: LocationHistoryEntry) {
        self.init(
            time: entry.time, event: entry.event, from: entry.from, to: entry.to, actor: entry.actor, reason: entry.reason)
    }
}
