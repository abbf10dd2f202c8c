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
import RelayEngine

/// `GET` and `HEAD /v2/images/{id}/file`.
struct DownloadRoute: Sendable {
    private typealias Target = ReadableRepresentation

    let representations: RepresentationResolver
    let relays: Relays
    let recorder: DownloadRecorder
    let deliveries: UnverifiedDeliveries
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
        // The body is declared, but not sent: a response to HEAD has none.
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
        let requested = try range(of: request, target)
        let planned = await planner.plan(target.resolution, target.representation, range: requested)
        let direct = try direct(request, target, planned.plan, context)
        if let redirection = direct.redirection { return redirection }
        return try await stream(planned.plan, planned.manifest, of: target, direct.headers, context)
    }

    /// The redirect or the header fields about direct locations for a request.
    private func direct(
        _ request: Request, _ target: Target, _ plan: DownloadPlan, _ context: APIContext
    ) throws -> DirectAnswer {
        let isWanted = try DirectAnswer.isWanted(request)
        guard let offer = offer(of: target, context) else { return DirectAnswer(refusing: isWanted ? .notTrusted : nil) }
        return DirectAnswer(offer, to: target, isWanted: isWanted, reason: streamingReason(request, target, plan))
    }

    /// The direct locations; nil if the caller may not see them.
    private func offer(of target: Target, _ context: APIContext) -> DirectOffer? {
        guard context.caller.maySeeLocations else { return nil }
        return offers.offer(of: target, at: .now)
    }

    private func metalink(_ request: Request, _ target: Target, _ context: APIContext) async throws -> Response {
        try await metalinks.answer(request, about: target, offer: offer(of: target, context), context)
    }

    /// Why the server must serve a range itself; nil without a reason.
    private func streamingReason(_ request: Request, _ target: Target, _ plan: DownloadPlan) -> DirectOffer.Reason? {
        guard request.headers[.range] != nil || request.headers[.contentRange] != nil else { return nil }
        // A client whose download was cut after wrong bytes would complete a corrupt file at the location.
        if !plan.servesRanges { return .onIntegrityHold }
        return EntityTag.permitsRange(request.headers[.ifRange], target.representation.entityTag) ? nil : .otherContent
    }

    /// - Throws: `APIError` 412 if `If-Match` does not name the tag (RFC 9110 section 13.1.1).
    static func checkPrecondition(of request: Request, tag: String) throws(APIError) {
        let fields = request.headers[values: .ifMatch]
        guard fields.isEmpty || fields.contains(where: { EntityTag.matchesStrongly($0, tag) }) else {
            var error = APIError(.preconditionFailed, "If-Match does not name the current ETag \(tag).")
            error.headers[.eTag] = tag
            throw error
        }
    }

    private func isNotModified(_ request: Request, _ target: Target) -> Bool {
        request.headers[.ifNoneMatch].map { EntityTag.matches($0, target.representation.entityTag) } ?? false
    }

    /// The requested range; nil for the whole representation.
    /// - Throws: `APIError` 400 for several ranges, 416 for an unsatisfiable one.
    private func range(of request: Request, _ target: Target) throws -> ByteRange? {
        let size = target.representation.size
        // Even a 416 would tell the client that its file is complete, which is unknown after a digest mismatch.
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
            var error = APIError(.rangeNotSatisfiable, "The range contains none of the image's \(size) bytes.")
            error.headers[.contentRange] = "bytes */\(size)"
            throw error
        }
    }

    /// Reserves memory for the bytes of a download in flight.
    /// - Throws: `APIError` 503 without memory, 429 if the caller has too many downloads.
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
        guard !selection.ranked.isEmpty else { throw APIError.unavailable(selection, relays.health) }
        let sink = HTTPResponseSink()
        let caller = context.userAndSubscriber
        let memory = try await memory(for: caller, target.representation, range, manifest)
        let relay = relays.relay(
            of: target.representation, range: range, manifest: manifest, over: selection, by: caller, memory: memory,
            to: sink,
            onIncident: IncidentLog(image: target.representation.image, logger: context.logger).note)
        let isWhole = plan.isWhole(of: target.representation)
        let record = DownloadRecord(
            representation: target.representation, range: isWhole ? nil : range, isRangeIgnored: plan.isRangeIgnored,
            manifest: manifest == nil ? nil : target.resolution.manifest, locations: target.resolution.locations,
            deliveryTicket: isWhole && manifest == nil
                ? deliveries.begin(target.representation.name, from: selection.ranked.map(\.location)) : nil)
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
                // No fully verified location can serve the range now, so the whole representation is served instead.
                return try await stream(
                    plan.wholeInstead(of: target.representation), nil, of: target, further, context)
            }
            guard summary.outcome != .clientGone else { throw CancellationError() }
            throw APIError.unavailable(selection, relays.health, failures: summary.failures)
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
                // The catalog is updated before the response ends or is cut. A client that returns to resume must find the
                // integrity hold, and a client that leaves after its last byte must not prevent the record.
                requestRecord.note(summary)
                await recorder.record(summary, of: record, logger: logger)
                guard summary.outcome == .finished else { throw ResponseCutShort(outcome: summary.outcome) }
                try await writer.finish(nil)
            })
    }
}

/// Ends a response before its declared length, so that no client takes it for complete.
struct ResponseCutShort: Error {
    let outcome: RelayOutcome
}
