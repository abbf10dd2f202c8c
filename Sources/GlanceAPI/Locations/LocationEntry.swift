import BackendKit
import FoundationEssentials
import HTTPServing
import ImageCatalog
import ImageModel

/// A location as it stands in a request of Glance's API.
struct LocationEntry: Equatable {
    /// As it was given.
    let url: String
    /// An object of strings, lists and objects.
    let metadata: JSONValue
    /// What the client claims of its bytes.
    let validation: ValidationData

    /// Glance's limit.
    private static let longestURL = 255

    /// Reads the value of an operation.
    /// - Throws: `APIError` 400.
    init(_ value: JSONValue) throws(APIError) {
        guard let members = value.members else { throw .badRequest("A location must be an object.") }
        url = try Self.url(members["url"])
        guard let metadata = members["metadata"], metadata.members != nil else {
            throw .badRequest("A location's metadata must be an object; it may be empty.")
        }
        guard Self.isPlain(metadata) else {
            throw .badRequest("Invalid location: its metadata may hold strings, lists and objects only.")
        }
        self.metadata = metadata
        switch members["validation_data"] {
        case nil: validation = ValidationData()
        case .some(let data): validation = try ValidationData(data, needsHash: true)
        }
    }

    /// Reads a URL out of a request.
    static func url(_ value: JSONValue?) throws(APIError) -> String {
        guard let url = value?.text, !url.isEmpty, RequestText.fits(url, scalars: longestURL) else {
            throw .badRequest("A location's url must be a string of at most \(longestURL) characters.")
        }
        return url
    }

    /// The metadata as words by name, what is no word written as JSON.
    var words: [String: String] {
        (metadata.members ?? [:]).mapValues { value in
            if case .string(let text) = value { text } else { Self.json(value) }
        }
    }

    /// The metadata as JSON, if it is more than words.
    var writtenMetadata: String? {
        let isWords = (metadata.members ?? [:]).values.allSatisfy { $0.text != nil }
        return isWords ? nil : Self.json(metadata)
    }

    private static func json(_ value: JSONValue) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private static func isPlain(_ value: JSONValue) -> Bool {
        switch value {
        case .string: true
        case .array(let items): items.allSatisfy(isPlain)
        case .object(let members): members.values.allSatisfy(isPlain)
        case .null, .boolean, .integer, .number: false
        }
    }
}

extension BackendRegistry {
    /// Where a URL of Glance's API lies: it is taken without its fragment, which tells two locations at one place apart.
    /// - Throws: `APIError` 400 when that is in no configured backend.
    func place(ofURL text: String) throws(APIError) -> (backend: BackendID, path: String) {
        let found: Place?
        do {
            found = try place(of: String(text.prefix { $0 != "#" }))
        } catch {
            throw .badRequest("Invalid location: \(error).")
        }
        guard let found else {
            throw .badRequest("Invalid location: its URL does not pass filtering, it lies in no configured backend.")
        }
        return (found.backend.id, found.path)
    }
}
