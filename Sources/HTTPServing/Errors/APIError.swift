package import AdminContract
import FoundationEssentials
package import HTTPTypes
package import Hummingbird
package import ImageModel
import NIOCore

/// An error response: one sentence for a person, in JSON that Glance's clients can read.
///
/// The body is nested (`{"error": {…}}`) because python-glanceclient reads the `message` of every top-level value.
package struct APIError: Error, HTTPResponseError, CustomStringConvertible {
    package let status: HTTPResponse.Status
    /// One sentence: what went wrong, where, and what to do.
    package let message: String
    /// Additional fields of the response head.
    package var headers: HTTPFields = [:]
    /// Additional members of the error object.
    package var details: [String: JSONValue] = [:]

    package init(_ status: HTTPResponse.Status, _ message: String) {
        self.status = status
        self.message = message
    }

    package var description: String { message }

    /// The response body.
    package var document: ErrorDocument {
        ErrorDocument(.init(code: status.code, title: status.reasonPhrase, message: message, details: details))
    }

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
