package import FoundationEssentials
package import HTTPTypes
package import Hummingbird
import NIOCore

/// Any JSON. Requests are read through it so that what is wrong with them can be said field by field.
package enum JSONValue: Sendable, Equatable, Encodable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .boolean(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// A string, or null.
    package static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    /// A time as Glance writes it: `2026-09-01T10:00:00Z`.
    package static func time(_ date: Date) -> JSONValue { .string(date.formatted(.iso8601)) }

    /// The JSON text, with members by name.
    package func written() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    /// About how many bytes the text has, told at a fraction of what writing it takes.
    package var textSize: Int {
        switch self {
        case .null, .boolean, .integer, .number: 8
        case .string(let text): text.utf8.count + 3
        case .array(let items): items.reduce(2) { $0 + $1.textSize }
        case .object(let members): members.reduce(2) { $0 + $1.key.utf8.count + 4 + $1.value.textSize }
        }
    }

    /// This value as an answer. What does not take a moment is written on threads of its own.
    package func response(
        for context: APIContext, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) async throws -> Response {
        guard textSize > Self.largestInPlace else { return try response(status: status, headers: headers) }
        let data = try await ComputePool.shared.write(for: context.share) { try written() }
        return Self.response(data, status, headers)
    }

    /// This value, which is small, as an answer.
    package func response(status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) throws -> Response {
        Self.response(try written(), status, headers)
    }

    private static func response(_ data: Data, _ status: HTTPResponse.Status, _ headers: HTTPFields) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        headers[.contentLength] = String(data.count)
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }
}
