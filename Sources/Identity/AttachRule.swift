import ImageModel

/// Who but an admin may attach locations of a backend, and which.
///
/// A backend's credentials reach more than its callers may see: naming a place must not be enough to read it. So attaching needs
/// the admin role, unless the backend says otherwise for a part of it.
package struct AttachRule: Sendable, Equatable {
    /// What a caller needs to be.
    package let role: Caller.Role
    /// The segments that the path must begin with; none stands for the whole backend.
    package let prefix: [String]

    /// - Parameter prefix: a path in the backend, e.g. `uploads/`; slashes at its ends change nothing.
    package init(role: Caller.Role, prefix: String) {
        self.role = role
        self.prefix = prefix.pathSegments.filter { !$0.isEmpty }
    }

    /// Whether a caller may attach the location at `path`, as far as the backend is concerned.
    /// - Parameter rule: the backend's rule; nil leaves its locations to admins.
    package static func permits(_ caller: Caller, path: String, rule: AttachRule?) -> Bool {
        if caller.isAdmin { return true }
        guard let rule, caller.has(rule.role) else { return false }
        let parts = path.pathSegments
        // A key may hold dots in an object store; whoever reads it as a path would leave the prefix. And with empty segments
        // `/a/b` would pass for `a/b`, which is another key.
        guard !parts.contains("."), !parts.contains(".."), !parts.contains("") else { return false }
        // Byte by byte: two spellings of one letter are two keys.
        return parts.count > rule.prefix.count && parts.starts(with: rule.prefix, by: { $0.utf8.elementsEqual($1.utf8) })
    }
}
