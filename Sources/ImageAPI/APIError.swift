internal import FoundationEssentials
internal import HTTPTypes
public import Hummingbird
internal import ImageModel
internal import NIOCore

/// An answer that says no: one sentence for a person, in the JSON that Glance's clients can read.
///
/// The body is nested (`{"error": {…}}`) because python-glanceclient asks every top-level value for its `message`.
public struct APIError: Error, HTTPResponseError, CustomStringConvertible {
    /// The answer's status.
    public let status: HTTPResponse.Status
    /// What, where, what to do.
    public let message: String
    /// Further fields of the answer's head.
    public var headers: HTTPFields = [:]
    /// Further members of the error object.
    var details: [String: JSONValue] = [:]

    init(_ status: HTTPResponse.Status, _ message: String) {
        self.status = status
        self.message = message
    }

    /// The message.
    public var description: String { message }

    /// The answer's body.
    var document: JSONValue {
        var error = details
        error["code"] = .integer(Int64(status.code))
        error["title"] = .string(status.reasonPhrase)
        error["message"] = .string(message)
        return .object(["error": .object(error)])
    }

    /// The answer.
    public func response(from request: Request, context: some RequestContext) throws -> Response {
        var response = try document.response(status: status)
        for field in headers { response.headers.append(field) }
        return response
    }
}

extension APIError {
    static func notFound(image text: String) -> APIError {
        APIError(.notFound, "There is no image \(text.excerpt(64)).")
    }

    static func badRequest(_ message: String) -> APIError { APIError(.badRequest, message) }
}
