import FoundationEssentials
import GRDB
import ImageModel

// The encoding of the model's values in columns: times as milliseconds since 1970, lists and dictionaries as JSON.

extension Date {
    var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }

    init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}

/// A row with a value that this version does not understand.
struct UnreadableRow: Error, CustomStringConvertible {
    let column: String
    var description: String { "the column \(column) holds an unknown value" }
}

extension Row {
    func required<Value>(_ column: String, _ read: (String) -> Value?) throws -> Value {
        guard let text: String = self[column], let value = read(text) else { throw UnreadableRow(column: column) }
        return value
    }

    func format() throws -> Format {
        Format(
            disk: try required("disk_format") { DiskFormat(rawValue: $0) },
            container: try required("container_format") { ContainerFormat(rawValue: $0) })
    }

    func date(_ column: String) -> Date? { (self[column] as Int64?).map { Date(milliseconds: $0) } }

    func decoded<Value: Decodable>(_ column: String, as type: Value.Type) throws -> Value {
        let text: String = self[column]
        return try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}

func encoded(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}

extension Image {
    init(_ row: Row) throws {
        self.init(
            id: try row.required("id") { ImageID($0) }, name: row["name"],
            status: try row.required("status") { Image.Status(rawValue: $0) },
            visibility: try row.required("visibility") { Image.Visibility(rawValue: $0) },
            diskFormat: (row["disk_format"] as String?).flatMap { DiskFormat(rawValue: $0) },
            containerFormat: (row["container_format"] as String?).flatMap { ContainerFormat(rawValue: $0) },
            minDisk: row["min_disk"], minRAM: row["min_ram"], isProtected: row["protected"], isHidden: row["hidden"],
            owner: row["owner"], tags: try row.decoded("tags", as: [String].self),
            properties: try row.decoded("properties", as: [String: String?].self),
            createdAt: Date(milliseconds: row["created_at"]), updatedAt: Date(milliseconds: row["updated_at"]))
    }
}

extension Representation {
    init(_ row: Row) throws {
        let algorithm = try row.required("algorithm") { DigestAlgorithm(rawValue: $0) }
        self.init(
            image: try row.required("image") { ImageID($0) }, format: try row.format(), size: row["size"],
            identity: try row.required("digest") { try? Digest(algorithm, hex: $0) }, isOnIntegrityHold: row["integrity_hold"],
            lastMismatchAt: row.date("held_since"), hasDigestConflict: row["digest_conflict"])
    }
}

extension Location {
    init(_ row: Row) throws {
        var digests = DigestSet()
        for algorithm in DigestAlgorithm.byPreference {
            guard let hex: String = row[algorithm.rawValue] else { continue }
            digests[algorithm] = try Digest(algorithm, hex: hex)
        }
        self.init(
            id: try row.required("id") { LocationID($0) }, image: try row.required("image") { ImageID($0) },
            backend: BackendID(row["backend"]), path: row["path"], url: row["url"],
            state: LocationState(
                try row.required("status") { LocationStatus(rawValue: $0) },
                before: try row.decoded("before", as: [LocationStatus].self)),
            format: try row.format(), size: row["size"], digests: digests,
            computed: Set(try row.decoded("computed", as: [DigestAlgorithm].self)), isIdentified: row["identified"],
            weight: row["weight"], tier: row["tier"], metadata: try row.decoded("metadata", as: [String: String].self),
            validator: (row["validator"] as String?).map { Validator($0) }, isSuspect: row["suspect"],
            verifiedAt: row.date("verified_at"), nextReadAt: row.date("next_read_at"), failedReads: row["failed_reads"],
            expiresAt: row.date("expires_at"), createdAt: Date(milliseconds: row["created_at"]))
    }
}

extension LocationHistoryEntry {
    init(_ row: Row) throws {
        self.init(
            time: Date(milliseconds: row["time"]), event: try row.required("event") { LocationHistoryEvent(rawValue: $0) },
            from: try row.required("status_from") { LocationStatus(rawValue: $0) },
            to: try row.required("status_to") { LocationStatus(rawValue: $0) }, actor: row["actor"], reason: row["reason"])
    }
}
