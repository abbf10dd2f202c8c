package import ImageModel

/// The body of every error: `{"error": {"code": 404, "title": "Not Found", "message": "…"}}`.
package struct ErrorDocument: JSONDocument, Codable, Equatable {
    /// The error object.
    package struct Failure: Codable, Equatable, Sendable {
        /// The HTTP status; nil if another server left it out.
        package let code: Int?
        /// The name of the status; nil if another server left it out.
        package let title: String?
        /// One sentence for a person.
        package let message: String
        /// Further members, such as the locations that failed.
        package let details: [String: JSONValue]

        private enum Name {
            static let code = "code"
            static let title = "title"
            static let message = "message"
            static let all = [code, title, message]
        }

        package init(code: Int?, title: String?, message: String, details: [String: JSONValue] = [:]) {
            self.code = code
            self.title = title
            self.message = message
            self.details = details
        }

        package init(from decoder: any Decoder) throws {
            let members = try [String: JSONValue](from: decoder)
            guard let message = members[Name.message]?.text else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "An error without a message."))
            }
            self.message = message
            title = members[Name.title]?.text
            if case .integer(let number) = members[Name.code] { code = Int(number) } else { code = nil }
            details = members.filter { !Name.all.contains($0.key) }
        }

        package func encode(to encoder: any Encoder) throws {
            var members = details
            members[Name.code] = code.map { .integer(Int64($0)) }
            members[Name.title] = title.map { .string($0) }
            members[Name.message] = .string(message)
            try members.encode(to: encoder)
        }
    }

    package let error: Failure

    package init(_ error: Failure) { self.error = error }
}
