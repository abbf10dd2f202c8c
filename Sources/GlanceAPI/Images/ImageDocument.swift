import Access
import FoundationEssentials
import HTTPServing
import ImageCatalog
package import ImageModel

extension JSONValue {
    /// An image as `GET /v2/images/{id}` shows it to a caller. Every base property is present, null if unknown. Locations are
    /// shown only to callers who may see them.
    static func image(_ record: ImageRecord, for caller: Caller) -> JSONValue {
        let image = record.image
        let digests = record.digests
        let strong = record.declaredStrong ?? digests.strong
        let path = "/v2/images/\(image.id)"
        let base: [String: JSONValue] = [
            "id": .string(image.id.description), "name": .optional(image.name), "status": .string(image.status.rawValue),
            "visibility": .string(image.visibility.rawValue), "protected": .boolean(image.isProtected),
            "os_hidden": .boolean(image.isHidden), "owner": .optional(image.owner),
            "tags": .array(image.tags.map { .string($0) }), "disk_format": .optional(image.diskFormat?.rawValue),
            "container_format": .optional(image.containerFormat?.rawValue), "min_disk": .integer(Int64(image.minDisk)),
            "min_ram": .integer(Int64(image.minRAM)), "size": record.representation.map { .integer($0.size) } ?? .null,
            "virtual_size": .null, "checksum": .optional(digests[.md5]?.hex),
            "os_hash_algo": .optional(strong?.algorithm.rawValue), "os_hash_value": .optional(strong?.hex),
            "created_at": .time(image.createdAt), "updated_at": .time(image.updatedAt), "self": .string(path),
            "file": .string(path + "/file"), "schema": "/v2/schemas/image",
        ]
        var fields = image.properties.mapValues { JSONValue.optional($0) }
        fields.merge(base) { _, base in base }
        if caller.maySeeLocations {
            fields["locations"] = .array(record.locations.map { .listed($0) })
            if let first = record.locations.first(where: \.location.state.status.serves) {
                fields["direct_url"] = .string(first.location.url)
            }
        }
        return .object(fields)
    }

    /// A location in an image's list: the URL and the metadata as they were given.
    static func listed(_ listed: ListedLocation) -> JSONValue {
        let words = JSONValue.object(listed.location.metadata.mapValues { .string($0) })
        let written = listed.metadata.flatMap { try? JSONValue(reading: $0.utf8) }
        return ["url": .string(listed.location.url), "metadata": written ?? words]
    }

    /// Digests in hexadecimal, by algorithm.
    package static func digests(_ digests: DigestSet) -> JSONValue {
        .object(Dictionary(digests.all.map { ($0.algorithm.rawValue, .string($0.hex)) }) { first, _ in first })
    }
}

extension ImageRecord {
    /// The known digests of the representation that a plain download returns.
    var digests: DigestSet { DigestSet(of: representation, locations: locations.map(\.location)) }

    /// The strong digest that was declared first. A computed digest does not take precedence.
    var declaredStrong: Digest? {
        for location in locations.map(\.location).witnesses {
            let declared = DigestSet(location.digests.all.filter { !location.computed.contains($0.algorithm) })
            if let strong = declared.strong { return strong }
        }
        return nil
    }
}

extension DigestSet {
    /// The known digests of a representation: its identity, the digests that complete reads computed, and the undisputed
    /// declarations of its serving locations. Pending and quarantined locations do not count.
    init(of representation: Representation?, locations: [Location]) {
        let computed = locations.filter(\.isIdentified).flatMap { location in
            location.digests.all.filter { location.computed.contains($0.algorithm) }
        }
        self = DigestSet(undisputed: locations.witnesses.flatMap(\.digests.all))
            .merging(DigestSet(undisputed: computed))
            .merging(DigestSet(representation.map { [$0.identity] } ?? []))
    }

    private init(undisputed digests: [Digest]) {
        let values = Dictionary(grouping: Set(digests), by: \.algorithm).values
        self.init(values.filter { $0.count == 1 }.flatMap(\.self))
    }

    /// The digest that Glance's clients verify with: sha512, as in Glance, then sha256, then sha1; never md5.
    var strong: Digest? { self[.sha512] ?? self[.sha256] ?? self[.sha1] }
}

extension [Location] {
    /// The locations whose declarations count: those that serve, and those that will serve again after their verification or
    /// after an operator enables them. If there are none, all that are neither quarantined nor being deleted.
    fileprivate var witnesses: [Location] {
        let serving = filter { location in
            switch location.state.status {
            case .active: true
            case .verifying, .disabled: location.state.before.last == .active
            case .pending, .quarantined, .pendingDelete, .deleted: false
            }
        }
        guard serving.isEmpty else { return serving }
        return filter { ![.quarantined, .pendingDelete, .deleted].contains($0.state.status) }
    }
}
