package import HTTPServing
package import Hummingbird
package import ImageCatalog
import ImageModel

extension RequestedFormat {
    /// What the query parameters `disk_format` and `container_format` ask for.
    /// - Throws: `APIError`: 400 for a format that nobody knows.
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
