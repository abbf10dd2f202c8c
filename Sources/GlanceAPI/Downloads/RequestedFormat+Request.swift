package import HTTPServing
package import Hummingbird
package import ImageCatalog
import ImageModel

extension RequestedFormat {
    /// Parses the query parameters `disk_format` and `container_format`.
    /// - Throws: `APIError` 400 for an unknown format.
    package init(_ request: Request) throws(APIError) {
        self.init()
        let parameters = request.uri.queryParameters
        if let text = parameters["disk_format"] {
            guard let format = DiskFormat(rawValue: String(text)) else {
                throw .badRequest("disk_format \(text.excerpt(32)) is not known.")
            }
            disk = format
        }
        if let text = parameters["container_format"] {
            guard let format = ContainerFormat(rawValue: String(text)) else {
                throw .badRequest("container_format \(text.excerpt(32)) is not known.")
            }
            container = format
        }
    }
}
