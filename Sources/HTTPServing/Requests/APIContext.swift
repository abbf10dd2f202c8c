package import Access
import FoundationEssentials
import HTTPTypes
package import Hummingbird
package import ImageModel
import Logging
package import NIOCore
import NetworkAddress

/// The context of one request: its log, its parameters, its caller and its connection.
package struct APIContext: RequestContext {
    /// Hummingbird's storage.
    package var coreContext: CoreRequestContextStorage
    /// The client's connection, for writing image bytes and for noticing that it closes.
    package let channel: any Channel
    /// The caller.
    package var caller = Caller.nobody
    /// The client's address: the one that a trusted proxy reports, else the peer's.
    package var clientAddress: String?
    /// The address under which the client reaches the server.
    var links = ServerLinks()
    /// The id of the request, in its response and in each of its log lines.
    package let requestID = APIContext.newRequestID()
    /// The facts for the request's log lines.
    package let record = RequestRecord()

    /// An id in the form of OpenStack's services: `req-` and a UUID.
    static func newRequestID() -> String { "req-\(UUID().uuidString.lowercased())" }

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
        clientAddress = source.channel.remoteAddress?.ipAddress
        logger[metadataKey: "request"] = .string(requestID)
        record.note(nil, at: clientAddress)
    }

    /// The address of the connection's other end; nil if it is unknown.
    package var peer: String? { channel.remoteAddress?.ipAddress }

    /// The key by which request processing is shared: the user, or the subscriber where all callers are the same user.
    package var share: String { caller == .everybody ? subscriber : caller.user }

    /// The key by which downloads share connections and memory. A fleet of machines may use one token, so the subscriber is part of
    /// it.
    package var userAndSubscriber: String { "\(caller.user) \(subscriber)" }

    /// The client's address, or its network where one subscriber may own a whole one (IPv6); empty if unknown.
    private var subscriber: String { clientAddress.map { IPAddress($0)?.subscriber.description ?? $0 } ?? "" }

    /// A decoded parameter of the path, by its name in the route.
    package func part(_ name: String) -> String { PercentEncoding.decode(parameters.get(name) ?? "") }

    /// The image id in the path.
    /// - Throws: `APIError` 404 if it is malformed.
    package func imageID() throws -> ImageID {
        let text = parameters.get("id") ?? ""
        guard let id = ImageID(text) else { throw APIError.notFound(image: text) }
        return id
    }
}
