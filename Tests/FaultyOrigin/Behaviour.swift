/// How an origin answers one request; made from `sound` by adding faults.
package struct Behaviour: Sendable {
    /// How the body ends.
    package enum Ending: Sendable, Equatable {
        /// As announced.
        case whole
        /// With a RST after that many bytes of this body.
        case reset(after: Int64)
        /// With an orderly close of the connection after that many bytes of this body.
        case close(after: Int64)
        /// Silent after that many bytes of this body; the connection stays open until the client or the origin closes it.
        case stall(after: Int64)
    }

    /// Ways in which a response does not state the size of the content.
    package enum UnstatedSize: Sendable, CaseIterable {
        /// All content, with chunked transfer coding, whatever range was asked for.
        case chunked
        /// All content over HTTP/1.0, to the end of the connection, whatever range was asked for.
        case untilClose
        /// The range, with `*` as total size.
        case star
    }

    /// The status and the body that replace the content.
    var refusal: (status: Int, headers: [(String, String)])?
    /// The port of this machine that a CONNECT is tunnelled to.
    var tunnel: Int?
    var ending: Ending = .whole
    var firstByteDelay: Duration = .zero
    var corruptOffset: Int64?
    var isRangeIgnored = false
    var rangeShift: Int64 = 0
    var totalShift: Int64 = 0
    var rangeCap: Int64?
    var extraBytes: Int64 = 0
    var etag: String??
    var headers: [(String, String)] = []
    var bytesPerSecond: Int64?
    var isEndedWhenUnread = false
    var content: PatternedContent?
    var silence: (after: Int64, duration: Duration)?
    var unstatedSize: UnstatedSize?

    /// No fault.
    package static let sound = Behaviour()

    /// A response with that status and a short text.
    package static func status(_ status: Int, headers: [(String, String)] = []) -> Behaviour {
        sound.with { $0.refusal = (status, headers) }
    }

    /// A redirect to another URL.
    package static func redirect(to url: String, status: Int = 302) -> Behaviour {
        .status(status, headers: [("Location", url)])
    }
    /// A proxy's response to CONNECT: a tunnel to a port of this machine, whatever target was asked for.
    package static func tunnel(to port: Int) -> Behaviour { sound.with { $0.tunnel = port } }
    /// A redirect to the URL that was asked for.
    package static let redirectLoop = status(302, headers: [("Location", "?")])
    /// A RST after that many bytes of the body.
    package static func reset(after bytes: Int64) -> Behaviour { sound.with { $0.ending = .reset(after: bytes) } }
    /// A clean but early end.
    package static func close(after bytes: Int64) -> Behaviour { sound.with { $0.ending = .close(after: bytes) } }
    /// Silence after that many bytes of the body.
    package static func stall(after bytes: Int64) -> Behaviour { sound.with { $0.ending = .stall(after: bytes) } }
    /// A delayed response head.
    package static func slowFirstByte(_ delay: Duration) -> Behaviour { sound.with { $0.firstByteDelay = delay } }
    /// A wrong byte at that offset of the content.
    package static func corrupt(at offset: Int64) -> Behaviour { sound.with { $0.corruptOffset = offset } }
    /// 200 with all content, whatever range was asked for.
    package static let ignoringRange = sound.with { $0.isRangeIgnored = true }
    /// A 206 with another range than asked for.
    package static func wrongRange(by shift: Int64) -> Behaviour { sound.with { $0.rangeShift = shift } }
    /// A wrong total size.
    package static func wrongTotal(by shift: Int64) -> Behaviour { sound.with { $0.totalShift = shift } }
    /// A 206 of at most that many bytes, however many were asked for.
    package static func capped(at bytes: Int64) -> Behaviour { sound.with { $0.rangeCap = bytes } }
    /// A 206 without the total size.
    package static let hidingTotal = sound.unstating(.star)
    /// More bytes than were declared.
    package static func longBody(extra: Int64) -> Behaviour { sound.with { $0.extraBytes = extra } }
    /// Another ETag.
    package static func etag(_ tag: String?) -> Behaviour { sound.with { $0.etag = .some(tag) } }
    /// Claims these content codings, each in its own header field.
    package static func encoded(_ values: [String]) -> Behaviour {
        sound.with { $0.headers = values.map { ("Content-Encoding", $0) } }
    }
    /// This content instead of the origin's.
    package func serving(_ content: PatternedContent) -> Behaviour { with { $0.content = content } }
    /// Silence for a time after that many bytes of the body, then the rest.
    package static func pause(after bytes: Int64, for duration: Duration) -> Behaviour {
        sound.with { $0.silence = (bytes, duration) }
    }
    /// Adds that ETag and further header fields.
    package func stating(etag: String, headers: [(String, String)]) -> Behaviour {
        with {
            $0.etag = .some(etag)
            $0.headers += headers
        }
    }
    /// Adds another ETag.
    package func tagged(_ tag: String) -> Behaviour { with { $0.etag = .some(tag) } }
    /// Omits the size of the content.
    package func unstating(_ way: UnstatedSize) -> Behaviour { with { $0.unstatedSize = way } }
    /// Adds a wrong byte at that offset of the content.
    package func corrupting(at offset: Int64) -> Behaviour { with { $0.corruptOffset = offset } }
    /// Limits the rate, in bytes per second.
    package func paced(_ bytesPerSecond: Int64) -> Behaviour { with { $0.bytesPerSecond = bytesPerSecond } }
    /// Closes the connection as soon as the client leaves the socket's buffers full.
    package static let endedWhenUnread = sound.with { $0.isEndedWhenUnread = true }

    /// A changed copy.
    package func with(_ change: (inout Behaviour) -> Void) -> Behaviour {
        var copy = self
        change(&copy)
        return copy
    }

    /// A copy with another ending.
    package func ending(_ ending: Ending) -> Behaviour { with { $0.ending = ending } }
}
