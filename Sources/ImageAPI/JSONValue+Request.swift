internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

extension JSONValue {
    /// More levels than any request of ours has. Decoding costs more with each: at hundreds of them a body of a few KiB would hold a
    /// thread for seconds.
    static let deepestNesting = 16

    /// The JSON of a request's body.
    /// - Returns: nil if there is no body at all.
    /// - Throws: `APIError`: 413 when it is too long, 400 when it is none or nested too deeply.
    static func read(_ request: Request) async throws -> JSONValue? {
        var request = request
        guard let buffer = try? await request.collectBody(upTo: RequestObject.limit) else {
            throw APIError(.contentTooLarge, "The request's body is longer than \(RequestObject.limit) bytes.")
        }
        guard buffer.readableBytes > 0 else { return nil }
        return try JSONValue(reading: buffer.readableBytesView)
    }

    /// The JSON of these bytes.
    /// - Throws: `APIError`: 400 when it is none or nested too deeply.
    init(reading bytes: some Sequence<UInt8>) throws(APIError) {
        guard Self.nesting(of: bytes) <= Self.deepestNesting else {
            throw .badRequest("The request's body is nested more than \(Self.deepestNesting) levels deep.")
        }
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else {
            throw .badRequest("The request's body is not valid JSON.")
        }
        guard !value.holdsNUL else {
            throw .badRequest("A text in the request's body holds the character NUL (\\u0000): leave it out.")
        }
        self = value
    }

    /// How deep lists and objects are nested in a text, in one pass; brackets inside of strings do not count.
    static func nesting(of text: some Sequence<UInt8>) -> Int {
        var (depth, deepest) = (0, 0)
        var (isInString, isEscaped) = (false, false)
        for byte in text {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                deepest = max(deepest, depth)
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
        }
        return deepest
    }
}
