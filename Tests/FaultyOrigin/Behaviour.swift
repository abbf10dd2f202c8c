/// How an origin answers one request. A behaviour is `sound` with added faults.
package struct Behaviour: Sendable {
    /// How the body ends.
    package enum Ending: Sendable, Equatable {
        /// The body ends after all bytes that the head announced.
        case whole
        /// The connection is reset (RST) after this many bytes of the body.
        case reset(after: Int64)
        /// The connection is closed in an orderly way after this many bytes of the body.
        case close(after: Int64)
        /// No bytes follow after this many bytes of the body. The connection stays open until the client closes it or the
        /// origin is stopped.
        case stall(after: Int64)
    }

    /// Ways in which a response does not state the size of the content.
    package enum UnstatedSize: Sendable, CaseIterable {
        /// All content with chunked transfer coding, regardless of the requested range.
        case chunked
        /// All content over HTTP/1.0 until the connection closes, regardless of the requested range.
        case untilClose
        /// The requested range, with `*` as the total size.
        case star
    }

    /// The status and the header fields of a response without content.
    var refusal: (status: Int, headers: [(String, String)])?
    /// The port of this machine to which a CONNECT is tunnelled.
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

    /// A response without faults.
    package static let sound = Behaviour()

    /// A response with a status and a short text.
    package static func status(_ status: Int, headers: [(String, String)] = []) -> Behaviour {
        sound.with { $0.refusal = (status, headers) }
    }

    /// A redirect to another URL.
    package static func redirect(to url: String, status: Int = 302) -> Behaviour {
        .status(status, headers: [("Location", url)])
    }
    /// A proxy's response to CONNECT: a tunnel to a port of this machine, regardless of the requested target.
    package static func tunnel(to port: Int) -> Behaviour { sound.with { $0.tunnel = port } }
    /// A redirect to the requested URL.
    package static let redirectLoop = status(302, headers: [("Location", "?")])
    /// A reset of the connection (RST) after this many bytes of the body.
    package static func reset(after bytes: Int64) -> Behaviour { sound.with { $0.ending = .reset(after: bytes) } }
    /// An orderly close of the connection after this many bytes of the body.
    package static func close(after bytes: Int64) -> Behaviour { sound.with { $0.ending = .close(after: bytes) } }
    /// Silence on the open connection after this many bytes of the body.
    package static func stall(after bytes: Int64) -> Behaviour { sound.with { $0.ending = .stall(after: bytes) } }
    /// A response head that is sent after a delay.
    package static func slowFirstByte(_ delay: Duration) -> Behaviour { sound.with { $0.firstByteDelay = delay } }
    /// A wrong byte at an offset of the content.
    package static func corrupt(at offset: Int64) -> Behaviour { sound.with { $0.corruptOffset = offset } }
    /// A 200 with all content, regardless of the requested range.
    package static let ignoringRange = sound.with { $0.isRangeIgnored = true }
    /// A 206 whose range begins `shift` bytes after the requested one.
    package static func wrongRange(by shift: Int64) -> Behaviour { sound.with { $0.rangeShift = shift } }
    /// A total size that is wrong by `shift` bytes.
    package static func wrongTotal(by shift: Int64) -> Behaviour { sound.with { $0.totalShift = shift } }
    /// A 206 with at most this many bytes, even if more were requested.
    package static func capped(at bytes: Int64) -> Behaviour { sound.with { $0.rangeCap = bytes } }
    /// A 206 without the total size.
    package static let hidingTotal = sound.unstating(.star)
    /// A body with `extra` more bytes than the head declares.
    package static func longBody(extra: Int64) -> Behaviour { sound.with { $0.extraBytes = extra } }
    /// Another ETag; nil for none.
    package static func etag(_ tag: String?) -> Behaviour { sound.with { $0.etag = .some(tag) } }
    /// Header fields that declare content codings, one field for each; the bytes are not encoded.
    package static func encoded(_ values: [String]) -> Behaviour {
        sound.with { $0.headers = values.map { ("Content-Encoding", $0) } }
    }
    /// The same behaviour with other content than the origin's.
    package func serving(_ content: PatternedContent) -> Behaviour { with { $0.content = content } }
    /// Silence for a while after this many bytes of the body, then the rest.
    package static func pause(after bytes: Int64, for duration: Duration) -> Behaviour {
        sound.with { $0.silence = (bytes, duration) }
    }
    /// Adds an ETag and further header fields.
    package func stating(etag: String, headers: [(String, String)]) -> Behaviour {
        with {
            $0.etag = .some(etag)
            $0.headers += headers
        }
    }
    /// Adds another ETag.
    package func tagged(_ tag: String) -> Behaviour { with { $0.etag = .some(tag) } }
    /// Leaves out the size of the content.
    package func unstating(_ way: UnstatedSize) -> Behaviour { with { $0.unstatedSize = way } }
    /// Adds a wrong byte at an offset of the content.
    package func corrupting(at offset: Int64) -> Behaviour { with { $0.corruptOffset = offset } }
    /// Limits the rate of the body, in bytes per second.
    package func paced(_ bytesPerSecond: Int64) -> Behaviour { with { $0.bytesPerSecond = bytesPerSecond } }
    /// Closes the connection when the client has left the socket's buffers full for 300 ms.
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
