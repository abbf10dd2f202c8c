import BackendKit
import FormatInspection
import FoundationEssentials
import ImageCatalog
import ImageModel
import Integrity
import LocationLifecycle

// Reads a location alone and compares its content.
extension Verifier {
    /// The values that a location's content is compared with.
    struct Subject {
        let representation: Representation?
        /// The manifest of the representation; nil if there is none.
        let manifest: StoredManifest?
        let others: [Location]
    }

    enum Finding {
        case matched(LocationContent, Manifest?)
        /// The declared content, whose format differs from the declared one or which refers to other files. It is attested if a
        /// declared digest matched.
        case unfit(FormatRefusal, isAttested: Bool)
        case other(Attribution.OtherContent)
        case unread(AttemptFailure)
        case cancelled
    }

    func subject(of location: Location) async throws -> Subject {
        let resolution = try await catalog.resolve(location.image, format: RequestedFormat(location.format))
        return Subject(
            representation: resolution?.representation,
            manifest: resolution?.manifest,
            others: resolution?.locations.filter { mayCorroborate($0, about: location) } ?? [])
    }

    /// Whether another location's content is evidence about this one. It need not serve: a duplicate that is being read is out
    /// of service for that, and a location that was quarantined alone may have been right. The same object under another URL is
    /// not evidence.
    private func mayCorroborate(_ other: Location, about location: Location) -> Bool {
        guard other.id != location.id, (other.backend, other.path) != (location.backend, location.path) else { return false }
        switch other.state.status {
        case .active, .pending, .verifying, .quarantined: return true
        case .disabled, .pendingDelete, .deleted: return false
        }
    }

    /// Whether the size to read is known.
    func isSizeDeclared(of id: LocationID) async throws -> Bool {
        guard let location = try await catalog.location(id), location.size == nil else { return true }
        return try await subject(of: location).representation != nil
    }

    func read(
        _ location: Location, _ subject: Subject, isFresh: Bool, keepsProgress: Bool = true, _ pace: ReadRateLimiter
    ) async throws -> Finding {
        guard let backend = registry[location.backend] else {
            return .unread(AttemptFailure(.missing, .local, detail: "its backend is not in the configuration"))
        }
        let identity = subject.representation?.identity
        var algorithms = Set(location.digests.all.map(\.algorithm))
        if let identity { algorithms.insert(identity.algorithm) }
        // The first full read computes the digests that clients may want to verify with.
        if location.verifiedAt == nil { algorithms.formUnion([.sha256, .sha512, .md5]) }
        // A second read checks the first one independently, so it starts over.
        let known = isFresh ? nil : try await catalog.readProgress(of: location.id)
        let progress = known.flatMap { mayResume($0, location, subject) ? $0 : nil }
        let settings = settings
        let read = LocationRead(
            .init(
                driver: backend.driver, connections: backend.connections,
                queueKey: .maintenance(of: location.image.description),
                path: location.path, expectedSize: location.size ?? subject.representation?.size,
                sizeLimit: settings.sizeLimit, algorithms: algorithms,
                isDigestDeclared: identity != nil || !location.digests.all.isEmpty,
                chunkSize: isFresh ? nil : chunkSize(for: location, subject),
                declared: settings.isInspectingFormat ? location.format : nil, isFresh: isFresh, progress: progress,
                pace: pace, stallTimeout: settings.stallTimeout),
            loop: loop)
        // Unusable progress must not be mistaken for an earlier part of this read.
        if known != nil, !read.hasResumed { try await catalog.saveReadProgress(nil, of: location.id, at: .now) }
        let outcome = keepsProgress && !isFresh ? try await keepingProgress(of: read, location) : await read.run()
        switch outcome {
        case .cancelled: return .cancelled
        case .otherSize(let size): return .other(.init(size: size, digest: nil))
        case .failed(let failure): return .unread(failure)
        case .read(let content, let manifest, let refusal):
            let expected = location.digests.all + (identity.map { [$0] } ?? [])
            guard expected.allSatisfy({ content.digests[$0.algorithm] == $0 }) else {
                return .other(.init(size: content.size, digest: content.digests[identity?.algorithm ?? .sha256]))
            }
            if let refusal { return .unfit(refusal, isAttested: !expected.isEmpty) }
            return .matched(content, manifest)
        }
    }

    /// Whether a saved progress can be used. A read that also checks a manifest needs the digests of all its chunks.
    private func mayResume(_ progress: ReadProgress, _ location: Location, _ subject: Subject) -> Bool {
        guard location.isSuspect, let manifest = subject.manifest else { return true }
        return progress.chunks?.layout == manifest.layout
    }

    /// The chunk size of the manifest to build; nil builds none. If there is a manifest, it is checked only if it may be wrong,
    /// that is, if it rejected bytes of this location.
    private func chunkSize(for location: Location, _ subject: Subject) -> Int64? {
        if subject.representation?.hasDigestConflict ?? false { return nil }
        guard let manifest = subject.manifest else { return chunkSize }
        return location.isSuspect ? manifest.layout.chunkSize : nil
    }

    /// Saves the progress every few seconds, and when the read ends early.
    private func keepingProgress(of read: LocationRead, _ location: Location) async throws -> LocationRead.Outcome {
        let catalog = catalog
        let saver = Task {
            var saved: ReadProgress?
            while !Task.isCancelled {
                try await Task.sleep(for: Self.checkpointInterval)
                guard let progress = read.progress, progress != saved else { continue }
                // If the catalog is busy now, the next checkpoint saves the progress.
                guard (try? await catalog.saveReadProgress(progress, of: location.id, at: .now)) != nil else { continue }
                saved = progress
            }
        }
        let outcome = await read.run()
        saver.cancel()
        _ = await saver.result
        let progress = outcome.isToBeContinued ? read.progress : nil
        // In a separate task: this one may be cancelled, and the catalog would then refuse to write.
        try await Task { try await catalog.saveReadProgress(progress, of: location.id, at: .now) }.value
        return outcome
    }

    /// Whether a digest is known that distinguishes a complete object from a truncated one.
    func isDeclared(_ location: Location, _ subject: Subject) -> Bool {
        subject.representation != nil || location.digests.identity != nil
    }

    /// Confirms a content whose size and digests were not declared, since a truncated response looks like a complete one. The
    /// content counts once a second read that bypasses caches has found the same.
    func confirm(
        _ content: LocationContent, _ manifest: Manifest?, of location: Location, _ subject: Subject, _ pace: ReadRateLimiter
    ) async throws -> Result {
        switch try await read(location, subject, isFresh: true, pace) {
        case .matched(let second, _) where second.size == content.size && second.digests == content.digests:
            return try await matched(location, content, manifest)
        case .unread(let failure): return try await unreadable(location, failure)
        case .cancelled: return .cancelled
        case .matched, .unfit, .other: return try await contradicted(location)
        }
    }

    func readOthers(
        of location: Location, _ subject: Subject, _ pace: ReadRateLimiter
    ) async throws -> [Attribution.Reading] {
        var readings: [Attribution.Reading] = []
        for other in subject.others {
            switch try await read(other, subject, isFresh: true, keepsProgress: false, pace) {
            case .matched, .unfit: readings.append(.matched)
            case .other(let content): readings.append(.other(content))
            case .unread, .cancelled: readings.append(.unsettled)
            }
        }
        return readings
    }
}

extension LocationRead.Outcome {
    /// Whether a later read may continue where this one ended: no evidence contradicts the bytes read so far.
    fileprivate var isToBeContinued: Bool {
        switch self {
        case .cancelled: true
        case .failed(let failure): failure.failureClass != .location
        case .read, .otherSize: false
        }
    }
}
