package import Access
import FoundationEssentials
import HTTPTypes
package import Hummingbird
package import ImageModel
import Logging
package import NIOCore
import NetworkAddress

/// What belongs to one request: its log, its parameters, and the connection it came on.
package struct APIContext: RequestContext {
    /// Hummingbird's own part.
    package var coreContext: CoreRequestContextStorage
    /// The client's connection, to write image bytes to and to notice its end.
    package let channel: any Channel
    /// Who sent the request.
    package var caller = Caller.nobody
    /// From where it was sent, behind the proxies that are trusted to say so; else the other end of the connection.
    package var clientAddress: String?
    /// Under which address the server is reached.
    var links = ServerLinks()
    /// The request's id, as its answer and every line of the log about it bear it.
    package let requestID = APIContext.newRequestID()
    /// What the log will say of it.
    package let record = RequestRecord()

    /// An id as OpenStack's services have them.
    static func newRequestID() -> String { "req-\(UUID().uuidString.lowercased())" }

    /// The context of a request that came in.
    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
        clientAddress = source.channel.remoteAddress?.ipAddress
        logger[metadataKey: "request"] = .string(requestID)
        record.note(nil, at: clientAddress)
    }

    /// The other end of the connection; nil if the system does not say.
    package var peer: String? { channel.remoteAddress?.ipAddress }

    /// Among whom what is scarce is shared: users, and the clients' addresses where everybody is the same user.
    package var share: String {
        guard caller == .everybody else { return caller.user }
        return clientAddress.map { IPAddress($0)?.subscriber.description ?? $0 } ?? ""
    }

    /// The image that the path names.
    package func imageID() throws -> ImageID {
        let text = parameters.get("id") ?? ""
        guard let id = ImageID(text) else { throw APIError.notFound(image: text) }
        return id
    }
}
