internal import FoundationEssentials
internal import ImageCatalog
internal import ImageModel

extension JSONValue {
    /// A time as Glance writes it: `2026-09-01T10:00:00Z`.
    static func time(_ date: Date) -> JSONValue { .string(date.formatted(.iso8601)) }

    /// An image as `GET /v2/images/{id}` shows it; every base key is there, null if unknown.
    static func image(_ image: Image, representation: Representation?, digests: DigestSet) -> JSONValue {
        var fields = image.properties.mapValues { JSONValue.string($0) }
        let path = "/v2/images/\(image.id)"
        let strong = digests[.sha512] ?? digests[.sha256] ?? digests[.sha1]
        let base: [String: JSONValue] = [
            "id": .string(image.id.description), "name": .optional(image.name), "status": .string(image.status.rawValue),
            "visibility": .string(image.visibility.rawValue), "protected": .boolean(image.isProtected),
            "os_hidden": .boolean(image.isHidden), "owner": .optional(image.owner),
            "tags": .array(image.tags.map { .string($0) }), "disk_format": .optional(image.diskFormat?.rawValue),
            "container_format": .optional(image.containerFormat?.rawValue), "min_disk": .integer(Int64(image.minDisk)),
            "min_ram": .integer(Int64(image.minRAM)), "size": representation.map { .integer($0.size) } ?? .null,
            "virtual_size": .null, "checksum": .optional(digests[.md5]?.hex),
            "os_hash_algo": .optional(strong?.algorithm.rawValue), "os_hash_value": .optional(strong?.hex),
            "created_at": .time(image.createdAt), "updated_at": .time(image.updatedAt), "self": .string(path),
            "file": .string(path + "/file"), "schema": .string("/v2/schemas/image"),
        ]
        fields.merge(base) { _, base in base }
        return .object(fields)
    }

    /// A location as the admin sees it, with everything.
    static func location(_ location: Location) -> JSONValue {
        let digests = location.digests.all.map { ($0.algorithm.rawValue, JSONValue.string($0.hex)) }
        return .object([
            "id": .string(location.id.description), "image": .string(location.image.description),
            "url": .string(location.url), "backend": .string(location.backend.name),
            "status": .string(location.state.status.rawValue), "disk_format": .string(location.format.disk.rawValue),
            "container_format": .string(location.format.container.rawValue),
            "size": location.size.map { .integer($0) } ?? .null,
            "digests": .object(Dictionary(digests) { first, _ in first }),
            "learned": .array(location.learned.map(\.rawValue).sorted().map { .string($0) }),
            "identified": .boolean(location.isIdentified), "weight": .integer(Int64(location.weight)),
            "tier": .integer(Int64(location.tier)), "metadata": .object(location.metadata.mapValues { .string($0) }),
            "validator": .optional(location.validator?.text), "accused": .boolean(location.isAccused),
            "proven_at": location.provenAt.map { .time($0) } ?? .null, "created_at": .time(location.createdAt),
            "next_read_at": location.nextReadAt.map { .time($0) } ?? .null,
            "expires_at": location.expiresAt.map { .time($0) } ?? .null,
            "legal_events": .array(location.state.legalEvents.map { .string($0.rawValue) }),
        ])
    }

    /// A line of a location's history.
    static func historyEntry(_ entry: LocationHistoryEntry) -> JSONValue {
        .object([
            "time": .time(entry.time), "event": .string(entry.event), "from": .string(entry.from.rawValue),
            "to": .string(entry.to.rawValue), "actor": .string(entry.actor), "reason": .string(entry.reason),
        ])
    }
}

extension DigestSet {
    /// What is known of a representation's digests: those its locations declare and don't contradict each other in, and its
    /// identity above all.
    init(of representation: Representation?, locations: [Location]) {
        var known = DigestSet()
        var disputed: Set<DigestAlgorithm> = []
        for digest in locations.flatMap(\.digests.all) {
            if let other = known[digest.algorithm], other != digest { disputed.insert(digest.algorithm) }
            known[digest.algorithm] = digest
        }
        for algorithm in disputed { known[algorithm] = nil }
        if let identity = representation?.identity { known[identity.algorithm] = identity }
        self = known
    }
}
