import Access
import BackendKit
import Downloads
import FoundationEssentials
import HTTPServing
import HTTPTypes
import Hummingbird
import ImageCatalog
import ImageModel
import LocationSelection
import NetworkAddress
import RelayEngine

/// `GET` and `HEAD /v2/images/{id}/file`.
struct DownloadRoute: Sendable {
    private typealias Target = RepresentationResolver.Admitted

    let representations: RepresentationResolver
    let relays: Relays
    let recorder: DownloadRecorder
    let holds: PendingIntegrityHolds
    let planner: DownloadPlanner
    let offers: DirectOffers
    let metalinks: MetalinkRoute

    func head(_ request: Request, context: APIContext) async throws -> Response {
        guard let target = try await representations.representation(request, context) else {
            return Response(status: .noContent)
        }
        if try MetalinkRoute.isWanted(request) { return try await metalink(request, target, context) }
        try Self.checkPrecondition(of: request, tag: target.representation.entityTag)
        let plan = await planner.plan(target.resolution, target.representation).plan
        if isNotModified(request, target) { return Response(status: .notModified, headers: target.entityHeaders(plan)) }
        let direct = try direct(request, target, plan, context)
        if let redirection = direct.redirection { return redirection }
        var headers = target.headers(plan)
        headers.append(contentsOf: direct.headers)
        headers[.contentLength] = String(target.representation.size)
        // A body that is declared and never written: HTTP sends none in answer to HEAD.
        return Response(status: .ok, headers: headers)
    }

    func get(_ request: Request, context: APIContext) async throws -> Response {
        guard let target = try await representations.representation(request, context) else {
            return Response(status: .noContent)
        }
        if try MetalinkRoute.isWanted(request) { return try await metalink(request, target, context) }
        try Self.checkPrecondition(of: request, tag: target.representation.entityTag)
        if isNotModified(request, target) {
            let plan = await planner.plan(target.resolution, target.representation).plan
            return Response(status: .notModified, headers: target.entityHeaders(plan))
        }
        let asked = try range(of: request, target)
        let planned = await planner.plan(target.resolution, target.representation, range: asked)
        let direct = try direct(request, target, planned.plan, context)
        if let redirection = direct.redirection { return redirection }
        return try await stream(planned.plan, planned.manifest, of: target, direct.headers, context)
    }

    /// What the caller is told of direct locations, or where they are sent.
    private func direct(
        _ request: Request, _ target: Target, _ plan: DownloadPlan, _ context: APIContext
    ) throws -> DirectAnswer {
        let isWanted = try DirectAnswer.isWanted(request)
        guard let offer = offer(of: target, context) else { return DirectAnswer(refusing: isWanted ? .notTrusted : nil) }
        return DirectAnswer(offer, to: target, isWanted: isWanted, obstacle: obstacle(to: request, target, plan))
    }

    /// The direct locations; nil for those who are told of none.
    private func offer(of target: Target, _ context: APIContext) -> DirectOffer? {
        guard context.caller.maySeeLocations else { return nil }
        return offers.offer(of: target, at: .now)
    }

    private func metalink(_ request: Request, _ target: Target, _ context: APIContext) async throws -> Response {
        try await metalinks.answer(request, about: target, offer: offer(of: target, context), context)
    }

    /// Why a part must not be fetched elsewhere.
    private func obstacle(to request: Request, _ target: Target, _ plan: DownloadPlan) -> DirectOffer.Absence? {
        guard request.headers[.range] != nil || request.headers[.contentRange] != nil else { return nil }
        // A client that was cut off with wrong bytes would complete a corrupt file there.
        if !plan.servesRanges { return .onIntegrityHold }
        return EntityTag.permitsRange(request.headers[.ifRange], target.representation.entityTag) ? nil : .otherContent
    }

    /// - Throws: `APIError` 412 if the client asks for what has another tag (RFC 9110 section 13.1.1).
    static func checkPrecondition(of request: Request, tag: String) throws(APIError) {
        let fields = request.headers[values: .ifMatch]
        guard fields.isEmpty || fields.contains(where: { EntityTag.matchesStrongly($0, tag) }) else {
            var error = APIError(.preconditionFailed, "The ETag is \(tag), which If-Match does not name.")
            error.headers[.eTag] = tag
            throw error
        }
    }

    private func isNotModified(_ request: Request, _ target: Target) -> Bool {
        request.headers[.ifNoneMatch].map { EntityTag.matches($0, target.representation.entityTag) } ?? false
    }

    /// The range that was asked for; nil for the whole.
    private func range(of request: Request, _ target: Target) throws -> ByteRange? {
        let size = target.representation.size
        // After a digest mismatch not even 416 may tell a client that its file is complete.
        guard target.representation.servesRanges(at: .now),
            EntityTag.permitsRange(request.headers[.ifRange], target.representation.entityTag)
        else { return nil }
        var header = RangeHeader(request.headers[.range], size: size)
        if request.headers[.range] == nil, let legacy = request.headers[.contentRange] {
            header = RangeHeader(contentRange: legacy, size: size)
        }
        switch header {
        case .whole: return nil
        case .range(let range): return range
        case .several: throw APIError.badRequest("Several ranges in one request are not supported: ask for one at a time.")
        case .unsatisfiable:
            var error = APIError(.rangeNotSatisfiable, "The range asks for no byte of the image's \(size).")
            error.headers[.contentRange] = "bytes */\(size)"
            throw error
        }
    }

    /// Whose address it is: one subscriber has a whole network of IPv6 addresses.
    private static func subscriber(_ address: String?) -> String {
        guard let address else { return "" }
        return IPAddress(address)?.subscriber.description ?? address
    }

    /// The download's share of the memory for bytes in flight.
    private func memory(
        for caller: String, _ representation: Representation, _ range: ByteRange?, _ manifest: RelayManifest?
    ) async throws -> MemoryShare {
        do {
            return try await relays.memoryShare(for: caller, of: representation, range: range, manifest: manifest)
        } catch {
            throw APIError(error)
        }
    }

    private func stream(
        _ plan: DownloadPlan, _ manifest: RelayManifest?, of target: Target, _ further: HTTPFields, _ context: APIContext
    ) async throws -> Response {
        let selection = relays.select(target.resolution.locations, for: plan)
        let range = plan.range
        guard !selection.ranked.isEmpty else { throw APIError.unavailable(selection, relays) }
        let sink = HTTPResponseSink()
        // One token may serve a whole fleet: the address tells its machines apart.
        let caller = "\(context.caller.user) \(Self.subscriber(context.clientAddress))"
        let memory = try await memory(for: caller, target.representation, range, manifest)
        let relay = relays.relay(
            of: target.representation, range: range, manifest: manifest, over: selection, by: caller, memory: memory,
            to: sink,
            onIncident: IncidentLog(image: target.representation.image, logger: context.logger).note)
        let isWhole = plan.isWhole(of: target.representation)
        let record = RelayRecord(
            representation: target.representation, range: isWhole ? nil : range, ignoresRange: plan.ignoresRange,
            manifest: manifest == nil ? nil : target.resolution.manifest, locations: target.resolution.locations,
            unverified: isWhole && manifest == nil
                ? holds.beginUnverified(target.representation, over: selection.ranked.map(\.location)) : nil)
        ClientWatch.whenEnded(context.channel) { [weak relay] in relay?.clientGone() }
        relay.start()
        let opening = await withTaskCancellationHandler {
            await sink.opening()
        } onCancel: {
            relay.clientGone()
        }
        if case .ended(let summary) = opening {
            context.record.note(summary)
            await recorder.record(summary, of: record, logger: context.logger)
            if !isWhole, manifest == nil, summary.outcome == .refused {
                // None of the locations that were read in full has the bytes now, or still has what was read: the whole may be had.
                return try await stream(
                    plan.wholeInstead(of: target.representation), nil, of: target, further, context)
            }
            guard summary.outcome != .clientGone else { throw CancellationError() }
            throw APIError.unavailable(selection, relays, failures: summary.failures)
        }
        let recorder = recorder
        let channel = context.channel
        let (logger, requestRecord) = (context.logger, context.record)
        let length = plan.count
        var headers = target.headers(plan)
        headers.append(contentsOf: further)
        if let range { headers[.contentRange] = "bytes \(range.first)-\(range.last)/\(target.representation.size)" }
        headers[.contentLength] = String(length)
        return Response(
            status: range == nil ? .ok : .partialContent, headers: headers,
            body: ResponseBody(contentLength: Int(length)) { writer in
                sink.attach(channel)
                let summary = await withTaskCancellationHandler {
                    await sink.ended()
                } onCancel: {
                    relay.clientGone()
                }
                // First the catalog, then the end or the cut: who comes back to resume must not find a representation without
                // hold, and a client that leaves at its last byte must not take the record along.
                requestRecord.note(summary)
                await recorder.record(summary, of: record, logger: logger)
                guard summary.outcome == .finished else { throw ResponseCutShort(outcome: summary.outcome) }
                try await writer.finish(nil)
            })
    }
}

/// Ends a response before its length is reached, so that no client takes it for whole.
struct ResponseCutShort: Error {
    let outcome: RelayOutcome
}
