import HTTPTypes
package import Hummingbird
package import ImageModel
import NIOCore

extension JSONValue {
    /// The largest body of a request that needs little.
    package static let ordinaryLimit = 64 << 10
    /// The largest body of a request that describes an image or a location, whose properties may be long.
    package static let largestLimit = 1 << 20
    /// Larger bodies are read, and larger answers written, on threads of their own.
    package static let largestInPlace = 16 << 10

    /// The JSON of a request's body.
    /// - Parameters:
    ///   - context: whose request it is.
    ///   - limit: its most bytes.
    /// - Returns: nil if there is no body at all.
    /// - Throws: `APIError`: 415 when it is said to be something else, 413 when it is too long, 400 when it is no JSON, nested too deeply,
    ///   of too many values, or breaks off.
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

    /// The JSON of a request that must have some.
    /// - Throws: as `read(_:for:upTo:)`, and 400 when there is none.
    package init(body request: Request, for context: APIContext, upTo limit: Int = ordinaryLimit) async throws {
        guard let value = try await Self.read(request, for: context, upTo: limit) else {
            throw APIError.badRequest("The request's body is not valid JSON.")
        }
        self = value
    }

    /// The JSON of these bytes.
    /// - Throws: `APIError`: 400 when it is none, nested too deeply, or of too many values.
    package init(reading bytes: some Sequence<UInt8>) throws(APIError) {
        let read = { (text: UnsafeBufferPointer<UInt8>) in
            Result { () throws(JSONReader.Failure) in try JSONReader.value(of: text) }
        }
        let result = bytes.withContiguousStorageIfAvailable(read) ?? Array(bytes).withUnsafeBufferPointer(read)
        switch result {
        case .success(let value):
            guard !value.holdsNUL else {
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

    /// Whether a Content-Type is one of JSON's. Browsers send none of them to another site without asking first.
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
