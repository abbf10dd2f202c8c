import FoundationEssentials
package import HTTPTypes
package import Hummingbird
package import ImageModel
import NIOCore

/// An answer that says no: one sentence for a person, in the JSON that Glance's clients can read.
///
/// The body is nested (`{"error": {…}}`) because python-glanceclient asks every top-level value for its `message`.
package struct APIError: Error, HTTPResponseError, CustomStringConvertible {
    /// The answer's status.
    package let status: HTTPResponse.Status
    /// What, where, what to do.
    package let message: String
    /// Further fields of the answer's head.
    package var headers: HTTPFields = [:]
    /// Further members of the error object.
    package var details: [String: JSONValue] = [:]

    package init(_ status: HTTPResponse.Status, _ message: String) {
        self.status = status
        self.message = message
    }

    /// The message.
    package var description: String { message }

    /// The answer's body.
    package var document: JSONValue {
        var error = details
        error["code"] = .integer(Int64(status.code))
        error["title"] = .string(status.reasonPhrase)
        error["message"] = .string(message)
        return .object(["error": .object(error)])
    }

    /// The answer.
    package func response(from request: Request, context: some RequestContext) throws -> Response {
        var response = try document.response(status: status)
        for field in headers { response.headers.append(field) }
        return response
    }
}

extension APIError {
    package static func notFound(image text: String) -> APIError {
        APIError(.notFound, "There is no image \(text.excerpt(64)).")
    }

    package static func badRequest(_ message: String) -> APIError { APIError(.badRequest, message) }
}
