/// How an origin answers one request; made from `sound` by adding faults.
package struct Behaviour: Sendable {
    /// How the body ends.
    package enum Ending: Sendable, Equatable {
        /// As announced.
        case whole
        /// With a RST after so many bytes of this body.
        case reset(after: Int64)
        /// With an orderly end of the connection after so many bytes of this body.
        case close(after: Int64)
        /// Silent after so many bytes of this body, the connection open until the client or the origin ends it.
        case stall(after: Int64)
    }

    /// How an answer leaves the size of the content open.
    package enum UnstatedSize: Sendable, CaseIterable {
        /// Everything, in chunks, whatever range was requested.
        case chunked
        /// Everything by HTTP/1.0, to the end of the connection, whatever range was requested.
        case untilClose
        /// The range, of a whole that is only known as `*`.
        case star
    }

    /// Status and body in place of the content.
    var refusal: (status: Int, headers: [(String, String)])?
    /// The port of this machine that a CONNECT leads to.
    var tunnel: Int?
    var ending: Ending = .whole
    var firstByteDelay: Duration = .zero
    var corruptOffset: Int64?
    var ignoresRange = false
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

    /// Everything right.
    package static let sound = Behaviour()

    /// An answer of that status with a short text.
    package static func status(_ status: Int, headers: [(String, String)] = []) -> Behaviour {
        sound.with { $0.refusal = (status, headers) }
    }

    /// A redirect to another place.
    package static func redirect(to url: String, status: Int = 302) -> Behaviour {
        .status(status, headers: [("Location", url)])
    }
    /// As a proxy answers a CONNECT: a tunnel to a port of this machine, whatever target was requested.
    package static func tunnel(to port: Int) -> Behaviour { sound.with { $0.tunnel = port } }
    /// A redirect to the requested URL itself.
    package static let redirectLoop = status(302, headers: [("Location", "?")])
    /// A RST after so many bytes of the body.
    package static func reset(after bytes: Int64) -> Behaviour { sound.with { $0.ending = .reset(after: bytes) } }
    /// A clean but early end.
    package static func close(after bytes: Int64) -> Behaviour { sound.with { $0.ending = .close(after: bytes) } }
    /// Silence after so many bytes of the body.
    package static func stall(after bytes: Int64) -> Behaviour { sound.with { $0.ending = .stall(after: bytes) } }
    /// A head that comes late.
    package static func slowFirstByte(_ delay: Duration) -> Behaviour { sound.with { $0.firstByteDelay = delay } }
    /// One byte wrong, at that offset of the content.
    package static func corrupt(at offset: Int64) -> Behaviour { sound.with { $0.corruptOffset = offset } }
    /// 200 and everything, whatever range was requested.
    package static let ignoringRange = sound.with { $0.ignoresRange = true }
    /// A 206 of another range than the requested one.
    package static func wrongRange(by shift: Int64) -> Behaviour { sound.with { $0.rangeShift = shift } }
    /// A wrong size of the whole.
    package static func wrongTotal(by shift: Int64) -> Behaviour { sound.with { $0.totalShift = shift } }
    /// A 206 of at most this many bytes, however many were requested.
    package static func capped(at bytes: Int64) -> Behaviour { sound.with { $0.rangeCap = bytes } }
    /// A 206 that does not state the size of the whole.
    package static let hidingTotal = sound.unstating(.star)
    /// More bytes than were declared.
    package static func longBody(extra: Int64) -> Behaviour { sound.with { $0.extraBytes = extra } }
    /// Another entity tag.
    package static func etag(_ tag: String?) -> Behaviour { sound.with { $0.etag = .some(tag) } }
    /// Claims that the content has these codings, each in a field of its own.
    package static func encoded(_ values: [String]) -> Behaviour {
        sound.with { $0.headers = values.map { ("Content-Encoding", $0) } }
    }
    /// This content in the place of the origin's.
    package func serving(_ content: PatternedContent) -> Behaviour { with { $0.content = content } }
    /// Silence for a while after so many bytes of the body, then the rest.
    package static func pause(after bytes: Int64, for duration: Duration) -> Behaviour {
        sound.with { $0.silence = (bytes, duration) }
    }
    /// And with that entity tag and further header fields.
    package func stating(etag: String, headers: [(String, String)]) -> Behaviour {
        with {
            $0.etag = .some(etag)
            $0.headers += headers
        }
    }
    /// And another entity tag.
    package func tagged(_ tag: String) -> Behaviour { with { $0.etag = .some(tag) } }
    /// And without the size of the content.
    package func unstating(_ way: UnstatedSize) -> Behaviour { with { $0.unstatedSize = way } }
    /// And one byte wrong, at that offset of the content.
    package func corrupting(at offset: Int64) -> Behaviour { with { $0.corruptOffset = offset } }
    /// At most so many bytes a second.
    package func paced(_ bytesPerSecond: Int64) -> Behaviour { with { $0.bytesPerSecond = bytesPerSecond } }
    /// Ends the connection as soon as the client leaves the socket's buffers full.
    package static let endedWhenUnread = sound.with { $0.isEndedWhenUnread = true }

    /// This with a change.
    package func with(_ change: (inout Behaviour) -> Void) -> Behaviour {
        var copy = self
        change(&copy)
        return copy
    }

    /// This with another ending.
    package func ending(_ ending: Ending) -> Behaviour { with { $0.ending = ending } }
}
