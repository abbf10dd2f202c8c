import Access
import HTTPServing
import HTTPTypes
import ImageModel

/// A change to an image, in one of the two JSON patch formats of Glance's clients.
struct ImagePatch: Equatable {
    /// The format of the operations.
    enum Draft: String, CaseIterable {
        /// `{"replace": "/name", "value": …}`, from draft 4. Its `add` does not overwrite.
        case four = "application/openstack-images-v2.0-json-patch"
        /// `{"op": "replace", "path": "/name", "value": …}`, from draft 10.
        case ten = "application/openstack-images-v2.1-json-patch"
    }

    enum Kind: String, CaseIterable {
        case add, remove, replace
    }

    /// The target of an operation.
    enum Target: Equatable {
        /// A property, by name.
        case property(String)
        /// One index of the locations: a number from 0, or `-` for the end.
        case location(String)
        /// The whole list of locations.
        case locations
    }

    struct Operation: Equatable {
        let kind: Kind
        let target: Target
        /// The new value; null for a removal.
        let value: JSONValue

        /// The operation for the log, such as `replace os_distro`.
        var summary: String {
            switch target {
            case .property(let name): "\(kind.rawValue) \(name)"
            case .location(let index): "\(kind.rawValue) locations/\(index)"
            case .locations: "\(kind.rawValue) locations"
            }
        }
    }

    let draft: Draft
    let operations: [Operation]

    /// Parses a patch.
    /// - Throws: `APIError`: 400 if it is malformed, 403 for a property that clients may not change.
    init(_ body: JSONValue, draft: Draft) throws(APIError) {
        guard case .array(let items) = body else {
            throw .badRequest("The request's body must be a list of operations.")
        }
        self.draft = draft
        var operations: [Operation] = []
        for item in items { operations.append(try Self.operation(item, draft)) }
        self.operations = operations
    }

    private static func operation(_ item: JSONValue, _ draft: Draft) throws(APIError) -> Operation {
        guard let members = item.members else { throw .badRequest("Each operation must be an object.") }
        let (kind, path) = draft == .ten ? try kindAndPathOfTen(members) : try kindAndPathOfFour(members)
        let names = try JSONPointer(path).names
        let target = try target(of: kind, names, path)
        guard kind != .remove else { return Operation(kind: kind, target: target, value: .null) }
        guard let value = members["value"] else {
            throw .badRequest("The operation \(kind.rawValue) of \(path.excerpt(64)) needs a value.")
        }
        return Operation(kind: kind, target: target, value: value)
    }

    private static func kindAndPathOfTen(_ members: [String: JSONValue]) throws(APIError) -> (Kind, String) {
        guard let kind = members["op"]?.text.flatMap({ Kind(rawValue: $0) }) else {
            throw .badRequest("An operation's op must be one of add, remove and replace.")
        }
        guard let path = members["path"]?.text else { throw .badRequest("An operation's path must be a string.") }
        return (kind, path)
    }

    private static func kindAndPathOfFour(_ members: [String: JSONValue]) throws(APIError) -> (Kind, String) {
        let kinds = Kind.allCases.filter { members[$0.rawValue] != nil }
        guard kinds.count == 1, let path = members[kinds[0].rawValue]?.text else {
            throw .badRequest("Each operation must have exactly one member named add, remove or replace, which holds a path.")
        }
        return (kinds[0], path)
    }

    private static func target(of kind: Kind, _ names: [String], _ path: String) throws(APIError) -> Target {
        let root = names[0]
        try ImageProperty.requireWritable(root)
        let isWhole = root != ImageProperty.locations.rawValue || kind == .replace
        guard names.count == (isWhole ? 1 : 2) else {
            throw .badRequest("The operation \(kind.rawValue) does not support the path \(path.excerpt(64)).")
        }
        if root != ImageProperty.locations.rawValue { return .property(root) }
        return isWhole ? .locations : .location(names[1])
    }
}

extension ImagePatch {
    /// Applies one operation on a property.
    func apply(_ operation: Operation, to image: inout Image, by caller: Caller) throws(APIError) {
        guard case .property(let name) = operation.target else { return }
        let property = ImageProperty(rawValue: name)
        let isThere = property != nil || image.properties[name] != nil
        switch operation.kind {
        case .add:
            guard draft == .ten || !isThere else {
                throw .conflict("The property \(name.excerpt(64)) exists already: replace it instead.")
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

/// A path into a JSON document, in the subset that Glance supports: `/a/b`, with `~1` for a slash and `~0` for a tilde inside a
/// name (RFC 6901).
struct JSONPointer: Equatable {
    /// The names along the path. There is at least one, and none is empty.
    let names: [String]

    /// Parses a pointer.
    /// - Throws: `APIError` 400 that says what is malformed.
    init(_ text: String) throws(APIError) {
        guard text.utf8.first == UInt8(ascii: "/") else { throw Self.malformed(text, "it does not begin with /") }
        var names: [String] = []
        for part in text.pathSegments.dropFirst() {
            guard !part.allSatisfy(\.isWhitespace) else { throw Self.malformed(text, "a name in it is empty") }
            names.append(try Self.unescape(part, in: text))
        }
        self.names = names
    }

    private static func unescape(_ part: String, in text: String) throws(APIError) -> String {
        var name = String.UnicodeScalarView()
        var rest = part.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "~" else {
                name.append(scalar)
                continue
            }
            switch rest.popFirst() {
            case "0": name.append("~")
            case "1": name.append("/")
            default: throw malformed(text, "~ must be followed by 0 or 1")
            }
        }
        return String(name)
    }

    private static func malformed(_ text: String, _ why: String) -> APIError {
        .badRequest("The path \(text.excerpt(64)) is malformed: \(why).")
    }
}
