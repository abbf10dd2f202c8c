import FoundationEssentials
import GRDB
import ImageModel

/// An SQL condition and the values of its placeholders.
struct SQLCondition {
    let text: String
    let values: [any DatabaseValueConvertible]

    init(_ text: String, _ values: [any DatabaseValueConvertible] = []) {
        self.text = text
        self.values = values
    }
}

extension ImageQuery {
    /// The order with tie-breakers, so that it is total.
    var totalOrder: [ImageOrder] {
        let direction = order.first?.direction ?? .descending
        var seen: Set<ImageOrder.Key> = []
        let keys = (order + [ImageOrder(.createdAt, direction), ImageOrder(.id, direction)]).filter { key in
            // Ids are unique: keys after the id have no effect.
            !seen.contains(.id) && seen.insert(key.key).inserted
        }
        return keys
    }

    /// The conditions of the list, without the page's start.
    var conditions: [SQLCondition] { filters.map(\.condition) + [scope.condition].compactMap(\.self) }

    /// The condition for all images after the one with these values.
    ///
    /// A single row comparison if all keys have the same direction, so that an index can be used; else a comparison key by key.
    func condition(behind values: [any DatabaseValueConvertible]) -> SQLCondition {
        let order = totalOrder
        let columns = order.map(\.key.column)
        if Set(order.map(\.direction.rawValue)).count == 1, let direction = order.first?.direction {
            let marks = Array(repeating: "?", count: columns.count).joined(separator: ", ")
            return SQLCondition("(\(columns.joined(separator: ", "))) \(direction.beyond) (\(marks))", values)
        }
        var alternatives: [String] = []
        var arguments: [any DatabaseValueConvertible] = []
        for (index, key) in order.enumerated() {
            let equal = columns.prefix(index).map { "\($0) = ?" }
            alternatives.append((equal + ["\(columns[index]) \(key.direction.beyond) ?"]).joined(separator: " AND "))
            arguments += values.prefix(index + 1)
        }
        return SQLCondition("(" + alternatives.joined(separator: " OR ") + ")", arguments)
    }
}

extension ImageOrder.Key {
    /// The column of the key, which is never null.
    var column: String {
        switch self {
        case .name, .size, .diskFormat, .containerFormat: rawValue + "_key"
        case .status, .id, .createdAt, .updatedAt: rawValue
        }
    }
}

extension ImageOrder.Direction {
    fileprivate var beyond: String { self == .ascending ? ">" : "<" }

    var sql: String { self == .ascending ? "ASC" : "DESC" }
}

extension ImageQuery.Scope {
    fileprivate var condition: SQLCondition? {
        guard case .project(let project, let sharing) = self else { return nil }
        guard let project else { return SQLCondition("visibility IN ('public', 'community')") }
        let status = sharing.map { _ in " AND member.status = ?" } ?? ""
        return SQLCondition(
            """
            (visibility IN ('public', 'community') OR owner = ? OR (visibility = 'shared' AND EXISTS (
                SELECT 1 FROM member WHERE member.image = image.id AND member.project = ?\(status))))
            """,
            [project, project] + (sharing.map { [$0.rawValue] } ?? []))
    }
}

extension ImageFilter.Comparison {
    fileprivate var sql: String {
        switch self {
        case .gt: ">"
        case .gte: ">="
        case .lt: "<"
        case .lte: "<="
        case .eq: "="
        case .neq: "<>"
        }
    }
}

extension ImageFilter {
    fileprivate var condition: SQLCondition {
        switch self {
        case .word(let word, let values):
            let marks = Array(repeating: "?", count: values.count).joined(separator: ", ")
            return SQLCondition("\(word.column) IN (\(marks))", values)
        case .isHidden(let isHidden): return SQLCondition("hidden = ?", [isHidden])
        case .isProtected(let isProtected): return SQLCondition("protected = ?", [isProtected])
        case .size(let range):
            return SQLCondition("size_key BETWEEN ? AND ?", [range.lowerBound, range.upperBound])
        case .minimum(let disk, let memory):
            let parts = [disk.map { ("min_disk = ?", $0) }, memory.map { ("min_ram = ?", $0) }].compactMap(\.self)
            return SQLCondition((["1"] + parts.map(\.0)).joined(separator: " AND "), parts.map(\.1))
        case .time(let time, let comparison, let date):
            // Times have no fraction on the wire, so clients can compare whole seconds only.
            return SQLCondition(
                "\(time.rawValue) / 1000 \(comparison.sql) ?", [Int64(date.timeIntervalSince1970.rounded(.down))])
        case .tag(let tag):
            return SQLCondition("EXISTS (SELECT 1 FROM json_each(image.tags) WHERE value = ?)", [tag])
        case .property(let name, let value):
            return SQLCondition(
                "EXISTS (SELECT 1 FROM json_each(image.properties) AS p WHERE p.key = ? AND p.value = ?)", [name, value])
        case .checksum(let checksum, let hex):
            let columns = checksum == .checksum ? ["md5"] : ["sha512", "sha256", "sha1"]
            let any = columns.map { "location.\($0) = ?" }.joined(separator: " OR ")
            return SQLCondition(
                """
                EXISTS (SELECT 1 FROM location WHERE location.image = image.id AND location.disk_format = image.disk_format
                    AND location.container_format = image.container_format AND (\(any)))
                """, Array(repeating: hex.lowercased(), count: columns.count))
        case .notVisibility(let visibility, let owner):
            guard let owner else { return SQLCondition("visibility <> ?", [visibility.rawValue]) }
            return SQLCondition("(visibility <> ? OR owner = ?)", [visibility.rawValue, owner])
        }
    }
}

extension ImageFilter.Word {
    /// The column to filter by; one with an index, if the filter has one.
    fileprivate var column: String {
        switch self {
        case .name, .diskFormat, .containerFormat: rawValue + "_key"
        case .id, .status, .visibility, .owner: rawValue
        }
    }
}
