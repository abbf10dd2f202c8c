import ImageModel

/// The rule by which callers other than admins may attach locations of a backend.
///
/// A backend's credentials reach more than its callers may see, so naming a path must not be enough to read it. Attaching
/// therefore requires the admin role, unless the backend has a rule for a part of it.
package struct AttachRule: Sendable, Equatable {
    /// The role that a caller needs.
    package let role: Caller.Role
    /// The segments that the path must begin with; empty for the whole backend.
    package let prefix: [String]

    /// - Parameter prefix: a path in the backend, e.g. `uploads/`; leading and trailing slashes are ignored.
    package init(role: Caller.Role, prefix: String) {
        self.role = role
        self.prefix = prefix.pathSegments.filter { !$0.isEmpty }
    }

    /// Whether a caller may attach the location at `path` in the backend.
    /// - Parameter rule: the backend's rule; nil allows admins only.
    package static func allows(_ caller: Caller, path: String, rule: AttachRule?) -> Bool {
        if caller.isAdmin { return true }
        guard let rule, caller.has(rule.role) else { return false }
        let parts = path.pathSegments
        // Keys of an object store may contain dots, which would leave the prefix if the key were treated as a path. With empty
        // segments, `/a/b` would be accepted for `a/b`, which is another key.
        guard !parts.contains("."), !parts.contains(".."), !parts.contains("") else { return false }
        // Compares bytes: canonically equivalent Unicode strings are two different keys.
        return parts.count > rule.prefix.count && parts.starts(with: rule.prefix, by: { $0.utf8.elementsEqual($1.utf8) })
    }
}
