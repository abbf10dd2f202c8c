import FoundationEssentials
package import HTTPTypes
package import Hummingbird
package import ImageModel
import NIOCore

extension JSONDocument {
    /// This document, which must be small, as a response.
    package func response(status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) throws -> Response {
        Self.response(try written(), status, headers)
    }

    fileprivate static func response(_ data: Data, _ status: HTTPResponse.Status, _ headers: HTTPFields) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        headers[.contentLength] = String(data.count)
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }
}

extension JSONItem {
    /// This document as a response. A large one is encoded on `ComputePool`.
    package func response(
        for context: APIContext, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) async throws -> Response {
        guard textSize > JSONValue.largestInPlace else { return try response(status: status, headers: headers) }
        let data = try await ComputePool.shared.write(for: context.share) { try written() }
        return Self.response(data, status, headers)
    }
}
