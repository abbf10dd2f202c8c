import BackendKit
import FoundationEssentials
import HTTPServing
import ImageCatalog
import ImageModel

/// A location in a request of Glance's API.
struct LocationEntry: Equatable {
    /// The URL as sent.
    let url: String
    /// An object of strings, arrays and objects.
    let metadata: JSONValue
    /// The client's claims about the bytes.
    let validation: ValidationData

    /// The longest URL in characters, as in Glance.
    private static let longestURL = 255

    /// Parses the value of an operation.
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
        case .some(let data): validation = try ValidationData(data, isHashRequired: true)
        }
    }

    /// Parses the URL of a location.
    /// - Throws: `APIError` 400.
    static func url(_ value: JSONValue?) throws(APIError) -> String {
        guard let url = value?.text, !url.isEmpty, RequestText.fits(url, scalars: longestURL) else {
            throw .badRequest("A location's url must be a string of at most \(longestURL) characters.")
        }
        return url
    }

    /// The metadata as strings by name; other values are encoded as JSON.
    var words: [String: String] {
        (metadata.members ?? [:]).mapValues { value in
            if case .string(let text) = value { text } else { Self.json(value) }
        }
    }

    /// The metadata as JSON; nil if all values are strings.
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
    /// The backend and path of a URL, without its fragment, which distinguishes two locations with the same path.
    ///
    /// Baton's own API resolves URLs in `LocationRoutes`: it knows no fragments, needs the canonical URL, and answers 403.
    /// Clients of Glance expect the status and the words of Glance.
    /// - Throws: `APIError` 400 if the URL is in no configured backend.
    func resolve(location text: String) throws(APIError) -> (backend: BackendID, path: String) {
        let found: ResolvedURL?
        do {
            found = try resolve(String(text.prefix { $0 != "#" }))
        } catch {
            throw .badRequest("Invalid location: \(error).")
        }
        guard let found else {
            // Clients look for "does not pass filtering", which is Glance's wording.
            throw .badRequest("Invalid location: its URL does not pass filtering: it is not below any configured backend.")
        }
        return (found.backend.id, found.path)
    }
}
