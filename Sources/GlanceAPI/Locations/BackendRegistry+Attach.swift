package import Access
package import BackendKit
package import HTTPServing
import HTTPTypes
package import ImageModel

extension BackendRegistry {
    /// Whether a caller may attach a place to an image. A backend's credentials reach more than its callers may see: naming a
    /// place must not be enough to read it.
    /// - Throws: `APIError` 403 when they may not, saying who may.
    func permit(_ caller: Caller, toAttach path: String, in backend: BackendID, to image: Image) throws(APIError) {
        try permitAttaching(caller, to: image)
        if caller.isAdmin { return }
        let rule = self[backend]?.attach
        guard AttachRule.permits(caller, path: path, rule: rule) else {
            let others = rule.map { rule in
                let place = rule.prefix.isEmpty ? "" : " below \(rule.prefix.joined(separator: "/"))/"
                return rule.role == .admin ? "" : ", or the role \(rule.role.rawValue) for locations\(place)"
            }
            throw APIError(
                .forbidden, "Attaching this location of the backend \(backend) needs the role admin\(others ?? "").")
        }
    }

    /// Whether a caller may attach any place to an image: as much as can be told before a body is read, which costs more than to ask.
    /// - Throws: `APIError` 403 when they may not.
    package func permitAttaching(_ caller: Caller, to image: Image) throws(APIError) {
        if caller.isAdmin { return }
        // A service acts for the image's owner.
        guard caller.has(.service) || (caller.project != nil && image.owner == caller.project) else {
            throw APIError(
                .forbidden, "The image \(image.id) belongs to another project: only an admin may attach locations to it.")
        }
        guard all.contains(where: { $0.attach.map { caller.has($0.role) } ?? false }) else {
            throw APIError(.forbidden, "Attaching a location needs the role admin.")
        }
    }
}
