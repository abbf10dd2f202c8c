import FoundationEssentials
import HTTPTypes
package import Hummingbird
package import ImageModel
import NIOCore

/// The JSON object of a request, read field by field. Errors name the field.
package struct RequestObject {
    private var fields: [String: JSONValue]

    /// Reads the whole body.
    /// - Parameters:
    ///   - context: the context of the request.
    ///   - isOptional: whether a missing body stands for an empty object.
    ///   - limit: the largest body, in bytes.
    /// - Throws: `APIError`: the errors of `JSONValue.read`, and 400 if the body is not an object.
    package init(
        _ request: Request, for context: APIContext, isOptional: Bool = false, upTo limit: Int = JSONValue.ordinaryLimit
    ) async throws {
        guard let value = try await JSONValue.read(request, for: context, upTo: limit) else {
            guard isOptional else { throw APIError.badRequest("The request's body is not valid JSON.") }
            fields = [:]
            return
        }
        guard case .object(let fields) = value else {
            throw APIError.badRequest("The request's body must be a JSON object.")
        }
        self.fields = fields
    }

    package init(fields: [String: JSONValue]) { self.fields = fields }

    private mutating func take(_ name: String) -> JSONValue? {
        guard let value = fields.removeValue(forKey: name), value != .null else { return nil }
        return value
    }

    /// Reads a string of at most `limit` Unicode scalars.
    package mutating func string(_ name: String, limit: Int = RequestText.longestName) throws(APIError) -> String? {
        guard let text = try text(name) else { return nil }
        guard RequestText.fits(text, scalars: limit) else {
            throw .badRequest("\(name.excerpt(64)) is longer than \(limit) characters.")
        }
        return text
    }

    private mutating func text(_ name: String) throws(APIError) -> String? {
        guard let value = take(name) else { return nil }
        guard case .string(let text) = value else { throw .badRequest("\(name.excerpt(64)) must be a string.") }
        return text
    }

    package mutating func integer(_ name: String, in range: ClosedRange<Int64>) throws(APIError) -> Int64? {
        guard let value = take(name) else { return nil }
        guard case .integer(let number) = value, range.contains(number) else {
            throw .badRequest("\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    package mutating func boolean(_ name: String) throws(APIError) -> Bool? {
        guard let value = take(name) else { return nil }
        guard case .boolean(let answer) = value else { throw .badRequest("\(name) must be true or false.") }
        return answer
    }

    package mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of type: Choice.Type
    ) throws(APIError) -> Choice? where Choice.RawValue == String {
        guard let text = try string(name) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("\(name) must be one of \(known).")
        }
        return choice
    }

    package mutating func strings(_ name: String) throws(APIError) -> [String]? {
        guard let value = take(name) else { return nil }
        guard case .array(let items) = value else { throw .badRequest("\(name) must be a list of strings.") }
        var texts: [String] = []
        for item in items {
            guard case .string(let text) = item, RequestText.fits(text, scalars: RequestText.longestName) else {
                throw .badRequest("\(name) must be a list of strings of at most \(RequestText.longestName) characters.")
            }
            texts.append(text)
        }
        return texts
    }

    package mutating func object(_ name: String) throws(APIError) -> RequestObject? {
        guard let value = take(name) else { return nil }
        guard case .object(let fields) = value else { throw .badRequest("\(name) must be an object.") }
        return RequestObject(fields: fields)
    }

    /// Reads the remaining fields as strings, within the limits of a property's name and value.
    package mutating func remainingStrings(of parent: String) throws(APIError) -> [String: String] {
        var texts: [String: String] = [:]
        for name in fields.keys.sorted() {
            guard RequestText.fits(name, scalars: RequestText.longestName) else {
                throw .badRequest("\(parent): a name has at most \(RequestText.longestName) characters.")
            }
            guard let text = try text(name) else { continue }
            guard RequestText.fits(text, bytes: RequestText.largestValue) else {
                throw .badRequest("\(parent): \(name.excerpt(64)) is longer than \(RequestText.largestValue) bytes.")
            }
            texts[name] = text
        }
        return texts
    }

    /// Throws if any field is left.
    /// - Parameter known: the names of the fields, for the message.
    package func rejectUnknown(known: String) throws(APIError) {
        guard let name = fields.keys.min() else { return }
        throw .badRequest("\(name.excerpt(64)) is not a field of this request; the fields are \(known).")
    }
}
