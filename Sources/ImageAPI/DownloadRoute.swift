internal import BackendKit
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
    let catalog: any CatalogStore
    let gate: ImageGate
    let relays: Relays
    let journal: RelayJournal

    /// What a request asks for, after the catalog was asked.
    private struct Target {
        let resolution: Resolution
        let representation: Representation
        let digests: DigestSet
    }

    func head(_ request: Request, context: APIContext) async throws -> Response {
        guard let target = try await target(of: request, context) else { return Response(status: .noContent) }
        var headers = headers(of: target)
        headers[.contentLength] = String(target.representation.size)
        if isNotModified(request, target) { return Response(status: .notModified, headers: entityHeaders(of: target)) }
        // A body that is declared and never written: HTTP sends none in answer to HEAD.
        return Response(status: .ok, headers: headers)
    }

    func get(_ request: Request, context: APIContext) async throws -> Response {
        guard let target = try await target(of: request, context) else { return Response(status: .noContent) }
        if isNotModified(request, target) { return Response(status: .notModified, headers: entityHeaders(of: target)) }
        let range = try range(of: request, target)
        let selection = selection(for: range, target)
        return try await stream(range: selection.range, of: target, over: selection.selection, context)
    }

    /// - Returns: nil when the image never had a location, which is 204 as in Glance.
    private func target(of request: Request, _ context: APIContext) async throws -> Target? {
        let admitted = try await gate.image(context)
        let id = admitted.id
        guard admitted.access.mayDownload else {
            throw APIError(.forbidden, "The image was deactivated: it can be downloaded again once it is reactivated.")
        }
        let format = try RequestedFormat(request)
        guard let resolution = try await catalog.resolve(id, format: format) else {
            throw APIError.notFound(image: id.description)
        }
        if resolution.formats.isEmpty { return nil }
        guard let representation = resolution.representation else {
            // Its locations are there, but none has been read yet: nobody knows what the image's bytes are.
            if !resolution.locations.isEmpty {
                throw unavailable(relays.select(resolution.locations, for: .whole), failures: [])
            }
            let known = resolution.formats.map(\.description).joined(separator: ", ")
            throw APIError(.notAcceptable, "The image has no such representation; it has \(known).")
        }
        return Target(
            resolution: resolution, representation: representation,
            digests: DigestSet(of: representation, locations: resolution.locations))
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

    /// A range comes only from locations that are pinned. If none is, the range is ignored and the whole is sent, proven.
    private func selection(for range: ByteRange?, _ target: Target) -> (selection: Selection, range: ByteRange?) {
        if let range {
            let selection = relays.select(target.resolution.locations, for: .range)
            if !selection.ranked.isEmpty { return (selection, range) }
        }
        return (relays.select(target.resolution.locations, for: .whole), nil)
    }

    private func stream(
        range: ByteRange?, of target: Target, over selection: Selection, _ context: APIContext
    ) async throws -> Response {
        guard !selection.ranked.isEmpty else { throw unavailable(selection, failures: []) }
        let outlet = ResponseOutlet()
        // One token may serve a whole fleet: the address tells its machines apart.
        let caller = "\(context.caller.user) \(context.channel.remoteAddress?.ipAddress ?? "")"
        let relay = relays.relay(of: target.representation, range: range, over: selection, by: caller, to: outlet)
        context.channel.closeFuture.whenComplete { [weak relay] _ in relay?.clientGone() }
        relay.start()
        let record = RelayRecord(representation: target.representation, range: range, locations: target.resolution.locations)
        let opening = await withTaskCancellationHandler {
            await outlet.opening()
        } onCancel: {
            relay.clientGone()
        }
        if case .ended(let summary) = opening {
            await journal.record(summary, of: record, logger: context.logger)
            guard summary.outcome != .clientGone else { throw CancellationError() }
            throw unavailable(selection, failures: summary.failures)
        }
        let journal = journal
        let channel = context.channel
        let logger = context.logger
        let length = range?.count ?? target.representation.size
        var headers = headers(of: target)
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
                await journal.record(summary, of: record, logger: logger)
                guard summary.outcome == .finished else { throw ResponseCutShort(outcome: summary.outcome) }
                try await writer.finish(nil)
            })
    }

    private func unavailable(_ selection: Selection, failures: [RelaySummary.Failure]) -> APIError {
        var reasons: [(LocationID, String)] = []
        for rejected in selection.rejected {
            let status = rejected.location.state.status.rawValue
            reasons.append((rejected.location.id, rejected.reason == .status ? status : rejected.reason.rawValue))
        }
        for failure in failures {
            reasons.removeAll { $0.0 == failure.location }
            reasons.append((failure.location, failure.failure.reason.rawValue))
        }
        let text = reasons.map { "\($0.0): \($0.1)" }.joined(separator: ", ")
        var error = APIError(.serviceUnavailable, "No location of the image can serve now (\(text)). Try again later.")
        error.headers[.retryAfter] = "5"
        error.details["locations"] = .array(
            reasons.map { .object(["id": .string($0.0.description), "reason": .string($0.1)]) })
        return error
    }

    private func entityHeaders(of target: Target) -> HTTPFields {
        var headers: HTTPFields = [:]
        headers[.eTag] = target.representation.entityTag
        headers[.acceptRanges] = target.representation.servesRanges(at: .now) ? "bytes" : "none"
        return headers
    }

    private func headers(of target: Target) -> HTTPFields {
        var headers = entityHeaders(of: target)
        // Exactly this, without parameters: python-glanceclient streams no other type.
        headers[.contentType] = "application/octet-stream"
        if let md5 = target.digests[.md5], let field = HTTPField.Name("Content-MD5") { headers[field] = md5.hex }
        let digests = [("sha-256", target.digests[.sha256]), ("sha-512", target.digests[.sha512])].compactMap { name, digest in
            digest.map { "\(name)=:\(Data($0.bytes).base64EncodedString()):" }
        }
        if !digests.isEmpty, let field = HTTPField.Name("Repr-Digest") { headers[field] = digests.joined(separator: ", ") }
        return headers
    }
}

/// Ends a response before its length is reached, so that no client takes it for whole.
struct ResponseCutShort: Error {
    let outcome: RelayOutcome
}
