import FoundationEssentials
import GlanceAPI
import HTTPServing
import ImageCatalog
import ImageModel

extension JSONValue {
    /// A location as the admin sees it, with everything.
    static func location(_ location: Location) -> JSONValue {
        .object([
            "id": .string(location.id.description), "image": .string(location.image.description),
            "url": .string(location.url), "backend": .string(location.backend.name),
            "status": .string(location.state.status.rawValue), "disk_format": .string(location.format.disk.rawValue),
            "container_format": .string(location.format.container.rawValue),
            "size": location.size.map { .integer($0) } ?? .null,
            "digests": .digests(location.digests),
            "computed": .array(location.computed.map(\.rawValue).sorted().map { .string($0) }),
            "identified": .boolean(location.isIdentified), "weight": .integer(Int64(location.weight)),
            "tier": .integer(Int64(location.tier)), "metadata": .object(location.metadata.mapValues { .string($0) }),
            "validator": .optional(location.validator?.text), "suspect": .boolean(location.isSuspect),
            "verified_at": location.verifiedAt.map { .time($0) } ?? .null, "created_at": .time(location.createdAt),
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
