import HTTPTypes
package import Hummingbird
package import ImageModel
import NIOCore

extension JSONValue {
    /// The largest body of most requests, in bytes.
    package static let ordinaryLimit = 64 << 10
    /// The largest body of a request that describes an image or a location, in bytes. Their properties may be long.
    package static let largestLimit = 1 << 20
    /// The largest body or response, in bytes, that is parsed or encoded in place. Larger ones go to `ComputePool`.
    package static let largestInPlace = 16 << 10

    /// Parses the JSON body of a request.
    /// - Parameters:
    ///   - context: the context of the request.
    ///   - limit: the largest body, in bytes.
    /// - Returns: nil without a body.
    /// - Throws: `APIError`: 415 for another Content-Type, 413 above the limit, 400 for malformed JSON, JSON that is nested too
    ///   deeply or has too many values, or a body that breaks off.
    package static func read(
        _ request: Request, for context: APIContext, upTo limit: Int = ordinaryLimit
    ) async throws -> JSONValue? {
        let isJSON = isJSON(request.headers[.contentType])
        let length = request.headers[.contentLength].flatMap { Int($0) }
        if !isJSON, length ?? 0 > 0 || request.headers[.transferEncoding] != nil { throw notJSON }
        if let length, length > limit { throw tooLong(limit) }
        let buffer = try await collect(request, upTo: limit)
        guard buffer.readableBytes > 0 else { return nil }
        guard isJSON else { throw notJSON }
        guard buffer.readableBytes > largestInPlace else { return try JSONValue(reading: buffer.readableBytesView) }
        return try await ComputePool.shared.read(for: context.share) { try JSONValue(reading: buffer.readableBytesView) }
    }

    /// Parses the JSON body of a request that must have one.
    /// - Throws: the errors of `read(_:for:upTo:)`, and `APIError` 400 without a body.
    package init(body request: Request, for context: APIContext, upTo limit: Int = ordinaryLimit) async throws {
        guard let value = try await Self.read(request, for: context, upTo: limit) else {
            throw APIError.badRequest("The request's body is not valid JSON.")
        }
        self = value
    }

    /// Parses JSON.
    /// - Throws: `APIError` 400 if it is malformed, is nested too deeply or has too many values.
    package init(reading bytes: some Sequence<UInt8>) throws(APIError) {
        let read = { (text: UnsafeBufferPointer<UInt8>) in
            Result { () throws(JSONReader.Failure) in try JSONReader.value(of: text) }
        }
        let result = bytes.withContiguousStorageIfAvailable(read) ?? Array(bytes).withUnsafeBufferPointer(read)
        switch result {
        case .success(let value):
            guard !value.hasNUL else {
                throw .badRequest("A text in the request's body holds the character NUL (\\u0000): leave it out.")
            }
            self = value
        case .failure(.malformed): throw .badRequest("The request's body is not valid JSON.")
        case .failure(.tooDeep):
            throw .badRequest("The request's body is nested more than \(JSONReader.Limits().depth) levels deep.")
        case .failure(.tooMany):
            throw .badRequest("The request's body has more than \(JSONReader.Limits().values) values and names.")
        }
    }

    /// Whether a Content-Type is a JSON type. Browsers send none of these cross-origin without a preflight request.
    private static func isJSON(_ field: String?) -> Bool {
        let bytes = (field ?? "").utf8.prefix { $0 != UInt8(ascii: ";") }
        let type = String(decoding: bytes.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self).lowercased()
        guard type.hasPrefix("application/") else { return false }
        return type == "application/json" || type.hasSuffix("+json") || type.hasSuffix("-json-patch")
    }

    private static var notJSON: APIError {
        APIError(.unsupportedMediaType, "The request's body must be JSON, with the Content-Type application/json.")
    }

    private static func tooLong(_ limit: Int) -> APIError {
        APIError(.contentTooLarge, "The request's body is longer than \(limit) bytes.")
    }

    private static func collect(_ request: Request, upTo limit: Int) async throws -> ByteBuffer {
        var request = request
        do {
            return try await request.collectBody(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw tooLong(limit)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw APIError.badRequest("The request's body broke off or is malformed.")
        }
    }
}
