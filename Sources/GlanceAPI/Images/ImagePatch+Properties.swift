import Access
import HTTPServing
import HTTPTypes
import ImageModel

extension ImagePatch {
    /// Carries out one operation on a property.
    func apply(_ operation: Operation, to image: inout Image, by caller: Caller) throws(APIError) {
        guard case .property(let name) = operation.target else { return }
        let property = ImageProperty(rawValue: name)
        let isThere = property != nil || image.properties[name] != nil
        switch operation.kind {
        case .add:
            guard draft == .ten || !isThere else {
                throw .conflict("The property \(name.excerpt(64)) is there already: replace it instead.")
            }
        case .replace, .remove:
            guard isThere else {
                throw .conflict("The image has no property \(name.excerpt(64)): add it instead.")
            }
        }
        if operation.kind == .remove {
            guard property == nil else {
                throw APIError(.forbidden, "The property \(name) can't be removed: replace its value instead.")
            }
            image.properties[name] = nil
        } else if let property {
            try image.set(property, to: operation.value, by: caller)
        } else {
            try image.setProperty(name, to: operation.value)
        }
    }
}
