import BatonClient
import ImageModel

/// The output of `baton get --json`.
struct GetReport: Encodable {
    struct Part: Encodable {
        let from: String
        let first: Int64
        let last: Int64
    }

    let image: String
    let file: String
    let size: Int64
    let digest: String
    let unchanged: Bool
    let parts: [Part]
    let troubles: [String]

    init(_ report: DownloadReport, image: ImageID, file: String) {
        self.image = image.description
        self.file = file
        size = report.target.size
        digest = report.target.digest.description
        unchanged = report.isUnchanged
        parts = report.origins.parts.map { Part(from: $0.source.text, first: $0.first, last: $0.last) }
        troubles = report.troubles
    }
}

extension DownloadOrigins.Source {
    /// The printed form.
    var text: String {
        switch self {
        case .kept: "kept from before"
        case .stream: "the server's stream"
        case .direct(let backend): backend
        }
    }
}
