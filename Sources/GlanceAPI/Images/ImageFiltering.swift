import Access
import FoundationEssentials
import HTTPServing
import ImageCatalog
import ImageModel

/// The filters among the parameters of a list. A parameter without a special meaning filters by a custom property.
struct ImageFiltering {
    private(set) var filters: [ImageFilter] = []

    private static let others: Set<String> = [
        "limit", "marker", "sort", "sort_key", "sort_dir", "member_status", "os_hidden", "visibility",
    ]

    /// The statuses that Glance defines. Images of Baton have some of them.
    private static let statuses = [
        "queued", "saving", "active", "killed", "deleted", "uploading", "importing", "pending_delete", "deactivated",
    ]

    /// The most filters of a list. Each is a condition of the catalog's query.
    static let mostFilters = 64
    /// The most values of an `in:` filter.
    static let mostWords = 1000

    /// Parses the filters.
    /// - Throws: `APIError` 400 that names the invalid parameter.
    init(_ items: QueryItems, _ caller: Caller) throws(APIError) {
        let count = items.items.count { !Self.others.contains($0.name) }
        guard count <= Self.mostFilters else {
            throw .badRequest("A list has at most \(Self.mostFilters) filters; this one has \(count).")
        }
        filters.append(.isHidden(try Self.flag("os_hidden", items["os_hidden"] ?? "false")))
        try addVisibility(items["visibility"], caller)
        for (name, value) in items.items where !Self.others.contains(name) {
            filters.append(try Self.filter(name, value))
        }
        try addSize(items)
    }

    private mutating func addVisibility(_ text: String?, _ caller: Caller) throws(APIError) {
        switch text {
        case nil:
            // Lists include community images only on request, for administrators as well: otherwise they would fill everyone's
            // lists.
            filters.append(.notVisibility(.community, unlessOwner: caller.project))
        case "all": break
        case .some(let text):
            guard Image.Visibility(rawValue: text) != nil else {
                throw .badRequest("visibility must be one of public, community, shared, private and all.")
            }
            filters.append(.word(.visibility, [text]))
        }
    }

    private mutating func addSize(_ items: QueryItems) throws(APIError) {
        var (least, most) = (Int64.min, Int64.max)
        for (name, value) in items.items where ["size", "size_min", "size_max"].contains(name) {
            guard let size = Int64(value) else { throw .badRequest("\(name) must be a whole number.") }
            if name != "size_max" { least = max(least, size) }
            if name != "size_min" { most = min(most, size) }
        }
        guard least != .min || most != .max else { return }
        // The catalog stores -1 for an unknown size, which must match no range.
        filters.append(.size(max(0, least)...max(max(0, least), most)))
        if most < max(0, least) { filters.append(.word(.id, [])) }
    }

    private static func filter(_ name: String, _ value: String) throws(APIError) -> ImageFilter {
        if let word = ImageFilter.Word(rawValue: name) {
            let words = try words(name, value)
            if word == .status, let unknown = words.first(where: { !statuses.contains($0) }) {
                throw .badRequest("status \(unknown.excerpt(32)) is not known; known are \(statuses.joined(separator: ", ")).")
            }
            return .word(word, words)
        }
        if let time = ImageFilter.Time(rawValue: name) { return try .time(time, comparison(value), date(name, value)) }
        if let checksum = ImageFilter.Checksum(rawValue: name) { return .checksum(checksum, value) }
        switch name {
        case "tag": return .tag(value)
        case "protected": return .isProtected(try flag(name, value))
        case "min_disk": return .minimum(disk: try number(name, value), memory: nil)
        case "min_ram": return .minimum(disk: nil, memory: try number(name, value))
        case "size", "size_min", "size_max": return .size(0...(.max))
        case "changes-since": throw .badRequest("changes-since is not known; use updated_at=gte:TIME.")
        default: return .property(name, value)
        }
    }

    private static func flag(_ name: String, _ text: String) throws(APIError) -> Bool {
        switch text.lowercased() {
        case "true": return true
        case "false": return false
        default: throw .badRequest("\(name) must be true or false.")
        }
    }

    private static func number(_ name: String, _ text: String) throws(APIError) -> Int {
        guard let number = Int(text) else { throw .badRequest("\(name) must be a whole number.") }
        return number
    }

    /// A value of the form `operator:operand`; without an operator, the operand alone.
    private static func operation(_ text: String) -> (name: String, operand: Substring) {
        guard let colon = text.firstIndex(of: ":") else { return ("eq", text[...]) }
        let name = String(text[..<colon])
        guard name == "in" || ImageFilter.Comparison(rawValue: name) != nil else { return ("eq", text[...]) }
        return (name, text[text.index(after: colon)...])
    }

    private static func words(_ name: String, _ text: String) throws(APIError) -> [String] {
        guard name != "owner" else { return [text] }
        let (operation, operand) = operation(text)
        switch operation {
        case "eq": return [String(operand)]
        case "in": return try list(name, operand)
        default: throw .badRequest("\(name) supports only the operators eq: and in:.")
        }
    }

    /// A comma-separated list, in which quotes protect commas: `in:"a,b",c`.
    private static func list(_ name: String, _ text: Substring) throws(APIError) -> [String] {
        var words: [String] = [""]
        var isQuoted = false
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted: words.append("")
            default: words[words.count - 1].append(character)
            }
        }
        guard words.count <= mostWords else { throw .badRequest("\(name): in: takes at most \(mostWords) words.") }
        guard !isQuoted, !words.contains("") else {
            throw .badRequest("\(name): in: takes words separated by commas; quote a word that has a comma.")
        }
        return words
    }

    private static func comparison(_ text: String) -> ImageFilter.Comparison {
        ImageFilter.Comparison(rawValue: operation(text).name) ?? .eq
    }

    private static func date(_ name: String, _ text: String) throws(APIError) -> Date {
        let operand = operation(text).operand
        let isZoned = operand.hasSuffix("Z") || operand.dropFirst(11).contains { $0 == "+" || $0 == "-" }
        let style = Date.ISO8601FormatStyle()
        guard operation(text).name != "in", let date = try? style.parse(isZoned ? String(operand) : operand + "Z") else {
            throw .badRequest("\(name) must be a time such as gte:2026-09-01T10:00:00Z.")
        }
        return date
    }
}
