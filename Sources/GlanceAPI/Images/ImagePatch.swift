import Access
import HTTPServing
import HTTPTypes
import ImageModel

/// A change to an image as Glance's clients write it, in either of two forms of JSON patch.
struct ImagePatch: Equatable {
    /// How the operations are written.
    enum Draft: String, CaseIterable {
        /// `{"replace": "/name", "value": …}`, of draft 4: its `add` does not overwrite.
        case four = "application/openstack-images-v2.0-json-patch"
        /// `{"op": "replace", "path": "/name", "value": …}`, of draft 10.
        case ten = "application/openstack-images-v2.1-json-patch"
    }

    /// What is done.
    enum Kind: String, CaseIterable {
        case add, remove, replace
    }

    /// Where.
    enum Target: Equatable {
        /// A property by its name.
        case property(String)
        /// One place of the locations: a number from 0, or `-` for the end.
        case location(String)
        /// The locations as a whole.
        case locations
    }

    /// One operation.
    struct Operation: Equatable {
        let kind: Kind
        let target: Target
        /// What to add or to replace by; null for a removal.
        let value: JSONValue

        /// What is done where, for the log: `replace os_distro`.
        var summary: String {
            switch target {
            case .property(let name): "\(kind.rawValue) \(name)"
            case .location(let place): "\(kind.rawValue) locations/\(place)"
            case .locations: "\(kind.rawValue) locations"
            }
        }
    }

    let draft: Draft
    let operations: [Operation]

    /// Reads a patch.
    /// - Throws: `APIError`: 400 for what is malformed, 403 for what no client may change.
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
            throw .badRequest("The path \(path.excerpt(64)) can't be the object of \(kind.rawValue).")
        }
        if root != ImageProperty.locations.rawValue { return .property(root) }
        return isWhole ? .locations : .location(names[1])
    }
}

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

/// A path into a JSON document, in the limited form that Glance takes: `/a/b`, with `~1` for a slash and `~0` for a tilde inside
/// a name (RFC 6901).
struct JSONPointer: Equatable {
    /// The names along the path; never empty, nor is one of them.
    let names: [String]

    /// Reads a pointer.
    /// - Throws: `APIError` 400 saying what is wrong with it.
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
            default: throw malformed(text, "after ~ comes 0 or 1")
            }
        }
        return String(name)
    }

    private static func malformed(_ text: String, _ why: String) -> APIError {
        .badRequest("The path \(text.excerpt(64)) is malformed: \(why).")
    }
}
