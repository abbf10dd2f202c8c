import BackendKit
import CurlTransfer
import ImageModel

/// Reads one object at a direct URL. It sends no credentials: the URL contains what grants access.
struct DirectDriver: Driver {
    let url: String

    let capabilities = Capabilities()

    func transferRequest(for read: ReadRequest) -> TransferRequest {
        TransferRequest(
            source: .url(url), range: read.range.map { $0.first...$0.last }, headers: [UserAgent.field],
            connectTimeout: .seconds(10), isFresh: read.isFresh)
    }

    func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
        RangedAnswer(head).object(for: read)
    }
}
