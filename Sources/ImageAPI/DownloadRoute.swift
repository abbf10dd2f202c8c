internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import Identity
internal import ImageCatalog
internal import ImageModel
internal import LocationSelection
internal import LocationUpkeep
internal import RelayEngine

/// `GET` and `HEAD /v2/images/{id}/file`.
struct DownloadRoute: Sendable {
    private typealias Target = RepresentationGate.Admitted

    let representations: RepresentationGate
    let relays: Relays
    let journal: RelayJournal
    let manifests: ManifestShelf
    let offers: DirectOffers
    let metalinks: MetalinkRoute

    func head(_ request: Request, context: APIContext) async throws -> Response {
        guard let target = try await representations.representation(request, context) else {
            return Response(status: .noContent)
        }
        if try MetalinkRoute.isWanted(request) { return try await metalink(request, target, context) }
        if isNotModified(request, target) { return Response(status: .notModified, headers: target.entityHeaders) }
        let direct = try direct(request, target, context)
        if let redirection = direct.redirection { return redirection }
        var headers = target.headers
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
        if isNotModified(request, target) { return Response(status: .notModified, headers: target.entityHeaders) }
        let range = try range(of: request, target)
        let direct = try direct(request, target, context)
        if let redirection = direct.redirection { return redirection }
        let manifest = await manifest(of: target, at: range?.first ?? 0)
        let selection = selection(for: range, isProven: manifest != nil, target)
        return try await stream(
            range: selection.range, manifest, of: target, over: selection.selection, direct.headers, context)
    }

    /// What the caller is told of direct locations, or where they are sent.
    private func direct(_ request: Request, _ target: Target, _ context: APIContext) throws -> DirectAnswer {
        let isWanted = try DirectAnswer.isWanted(request)
        guard let offer = offer(of: target, context) else { return DirectAnswer(refusing: isWanted ? .notTrusted : nil) }
        return DirectAnswer(offer, to: target, isWanted: isWanted, obstacle: obstacle(to: request, target))
    }

    /// The direct locations; nil for those who are told of none.
    private func offer(of target: Target, _ context: APIContext) -> DirectOffer? {
        guard context.caller.maySeeLocations else { return nil }
        let selection = relays.select(
            target.resolution.locations, for: .whole, size: target.representation.size, explores: false)
        return offers.offer(of: selection, at: .now)
    }

    private func metalink(_ request: Request, _ target: Target, _ context: APIContext) async throws -> Response {
        try await metalinks.answer(request, about: target, offer: offer(of: target, context))
    }

    /// Why a part must not be fetched elsewhere.
    private func obstacle(to request: Request, _ target: Target) -> DirectOffer.Absence? {
        guard request.headers[.range] != nil || request.headers[.contentRange] != nil else { return nil }
        // Whoever was cut off after a failed proof would complete a corrupt file there.
        if !target.representation.servesRanges(at: .now) { return .inDoubt }
        return EntityTag.permitsRange(request.headers[.ifRange], target.representation.entityTag) ? nil : .otherContent
    }

    private func isNotModified(_ request: Request, _ target: Target) -> Bool {
        request.headers[.ifNoneMatch].map { EntityTag.matches($0, target.representation.entityTag) } ?? false
    }

    /// The range to serve; nil for the whole.
    private func range(of request: Request, _ target: Target) throws -> ByteRange? {
        let size = target.representation.size
        // After a failed proof a client could complete a corrupt file by resuming it: it gets the whole, or nothing.
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

    private func manifest(of target: Target, at offset: Int64) async -> RelayManifest? {
        guard let stored = target.resolution.manifest else { return nil }
        return await manifests.open(stored, at: offset)
    }

    /// Without a manifest a range comes only from locations that are pinned, and that nobody accuses: a manifest that can't be read
    /// kept their wrong bytes in. If there is none, the range is ignored and the whole is sent, proven.
    private func selection(
        for range: ByteRange?, isProven: Bool, _ target: Target
    ) -> (selection: Selection, range: ByteRange?) {
        if let range {
            let selection = relays.select(
                target.resolution.locations, for: isProven ? .whole : .range, size: range.count)
            if isProven || !selection.ranked.isEmpty { return (selection, range) }
        }
        return (relays.select(target.resolution.locations, for: .whole, size: target.representation.size), nil)
    }

    private func stream(
        range: ByteRange?, _ manifest: RelayManifest?, of target: Target, over selection: Selection,
        _ further: HTTPFields, _ context: APIContext
    ) async throws -> Response {
        guard !selection.ranked.isEmpty else { throw APIError.unavailable(selection, relays) }
        let outlet = ResponseOutlet()
        // One token may serve a whole fleet: the address tells its machines apart.
        let caller = "\(context.caller.user) \(context.clientAddress ?? "")"
        let relay = relays.relay(
            of: target.representation, range: range, manifest: manifest, over: selection, by: caller, to: outlet,
            onIncident: IncidentLog(image: target.representation.image, logger: context.logger).note)
        ClientWatch.tell(relay, ofTheEndOf: context.channel)
        relay.start()
        let record = RelayRecord(
            representation: target.representation, range: range,
            manifest: manifest == nil ? nil : target.resolution.manifest, locations: target.resolution.locations)
        let opening = await withTaskCancellationHandler {
            await outlet.opening()
        } onCancel: {
            relay.clientGone()
        }
        if case .ended(let summary) = opening {
            context.record.note(summary)
            await journal.record(summary, of: record, logger: context.logger)
            guard summary.outcome != .clientGone else { throw CancellationError() }
            throw APIError.unavailable(selection, relays, failures: summary.failures)
        }
        let journal = journal
        let channel = context.channel
        let (logger, requestRecord) = (context.logger, context.record)
        let length = range?.count ?? target.representation.size
        var headers = target.headers
        headers.append(contentsOf: further)
        if let range { headers[.contentRange] = "bytes \(range.first)-\(range.last)/\(target.representation.size)" }
        headers[.contentLength] = String(length)
        return Response(
            status: range == nil ? .ok : .partialContent, headers: headers,
            body: ResponseBody(contentLength: Int(length)) { writer in
                outlet.attach(channel)
                let summary = await withTaskCancellationHandler {
                    await outlet.ended()
                } onCancel: {
                    relay.clientGone()
                }
                // First the catalog, then the end or the cut: who comes back to resume must not find a representation without
                // doubt, and a client that leaves at its last byte must not take the record along.
                requestRecord.note(summary)
                await journal.record(summary, of: record, logger: logger)
                guard summary.outcome == .finished else { throw ResponseCutShort(outcome: summary.outcome) }
                try await writer.finish(nil)
            })
    }
}

/// Ends a response before its length is reached, so that no client takes it for whole.
struct ResponseCutShort: Error {
    let outcome: RelayOutcome
}
