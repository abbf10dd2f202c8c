internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// A request's JSON object, read field by field; every complaint names the field.
struct RequestObject {
    private var fields: [String: JSONValue]

    /// The largest body of a request that is not an image.
    static let limit = 1 << 20

    /// Reads the body whole.
    /// - Parameter isOptional: whether no body at all means an empty object.
    /// - Throws: `APIError`: 413 when it is too long, 400 when it is no JSON object.
    init(_ request: Request, isOptional: Bool = false) async throws {
        guard let value = try await JSONValue.read(request) else {
            guard isOptional else { throw APIError.badRequest("The request's body is not valid JSON.") }
            fields = [:]
            return
        }
        guard case .object(let fields) = value else {
            throw APIError.badRequest("The request's body must be a JSON object.")
        }
        self.fields = fields
    }

    init(fields: [String: JSONValue]) { self.fields = fields }

    private mutating func take(_ name: String) -> JSONValue? {
        guard let value = fields.removeValue(forKey: name), value != .null else { return nil }
        return value
    }

    mutating func string(_ name: String, limit: Int = 255) throws(APIError) -> String? {
        guard let value = take(name) else { return nil }
        guard case .string(let text) = value else { throw .badRequest("\(name) must be a string.") }
        guard text.count <= limit else { throw .badRequest("\(name) is longer than \(limit) characters.") }
        return text
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int64>) throws(APIError) -> Int64? {
        guard let value = take(name) else { return nil }
        guard case .integer(let number) = value, range.contains(number) else {
            throw .badRequest("\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    mutating func boolean(_ name: String) throws(APIError) -> Bool? {
        guard let value = take(name) else { return nil }
        guard case .boolean(let answer) = value else { throw .badRequest("\(name) must be true or false.") }
        return answer
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of type: Choice.Type
    ) throws(APIError) -> Choice? where Choice.RawValue == String {
        guard let text = try string(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("\(name) must be one of \(known).")
        }
        return choice
    }

    mutating func strings(_ name: String) throws(APIError) -> [String]? {
        guard let value = take(name) else { return nil }
        guard case .array(let items) = value else { throw .badRequest("\(name) must be a list of strings.") }
        var texts: [String] = []
        for item in items {
            guard case .string(let text) = item, text.count <= 255 else {
                throw .badRequest("\(name) must be a list of strings of at most 255 characters.")
            }
            texts.append(text)
        }
        return texts
    }

    mutating func object(_ name: String) throws(APIError) -> RequestObject? {
        guard let value = take(name) else { return nil }
        guard case .object(let fields) = value else { throw .badRequest("\(name) must be an object.") }
        return RequestObject(fields: fields)
    }

    /// What is left, as strings by name.
    mutating func remainingStrings(of parent: String) throws(APIError) -> [String: String] {
        var texts: [String: String] = [:]
        for name in fields.keys.sorted() {
            guard let text = try string(name, limit: 65_535) else { continue }
            texts[name] = text
        }
        return texts
    }

    /// Complains of what nobody asked for.
    func rejectUnknown(known: String) throws(APIError) {
        guard let name = fields.keys.min() else { return }
        throw .badRequest("\(name.prefix(64)) is no field of this request; there are \(known).")
    }
}
