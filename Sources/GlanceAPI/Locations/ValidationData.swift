import HTTPServing
import HTTPTypes
import ImageCatalog
import ImageModel

/// A client's claims about a location's bytes, in Glance's terms: an MD5 `checksum`, and a strong digest as `os_hash_algo` and
/// `os_hash_value`.
struct ValidationData: Equatable {
    /// In lower case.
    var checksum: String?
    var algorithm: String?
    /// In lower case.
    var value: String?

    init() {}

    /// Parses the object.
    /// - Parameter isHashRequired: whether the strong digest is required and `checksum` is permitted.
    /// - Throws: `APIError` 400 if it has another shape.
    init(_ object: JSONValue, isHashRequired: Bool) throws(APIError) {
        guard let members = object.members else { throw .badRequest("validation_data must be an object.") }
        var fields = RequestObject(fields: members)
        if isHashRequired { checksum = try fields.string("checksum")?.lowercased() }
        algorithm = try fields.string("os_hash_algo", limit: 64)
        value = try fields.string("os_hash_value", limit: 128)?.lowercased()
        try fields.rejectUnknown(known: "\(isHashRequired ? "checksum, " : "")os_hash_algo and os_hash_value")
        guard (algorithm == nil) == (value == nil) else {
            throw .badRequest("validation_data needs both of os_hash_algo and os_hash_value.")
        }
        guard !isHashRequired || algorithm != nil else {
            throw .badRequest("validation_data needs os_hash_algo and os_hash_value.")
        }
        guard checksum.map({ $0.utf8.count == 32 }) ?? true else {
            throw .badRequest("checksum must have 32 hexadecimal digits.")
        }
    }

    /// Combines the claims of several locations.
    /// - Throws: `APIError` 409 if they contradict each other.
    init(merging all: [ValidationData]) throws(APIError) {
        for data in all {
            try Self.merge(data.checksum, into: &checksum, "checksum")
            try Self.merge(data.algorithm, into: &algorithm, "os_hash_algo")
            try Self.merge(data.value, into: &value, "os_hash_value")
        }
    }

    private static func merge(_ new: String?, into known: inout String?, _ name: String) throws(APIError) {
        guard let new else { return }
        guard known ?? new == new else { throw .conflict("The locations' validation_data contradict each other in \(name).") }
        known = new
    }

    /// The claimed digests for an image. They must agree with the known digests, and may add new ones only while the image is
    /// queued.
    /// - Throws: `APIError` 409.
    func digests(for image: Image, known: DigestSet) throws(APIError) -> DigestSet {
        let claimed = try digests(orElse: .conflict)
        var isNew = false
        for digest in claimed.all {
            if let other = known[digest.algorithm] {
                guard other == digest else {
                    throw .conflict("\(name(of: digest)) is already set to a different value.")
                }
            } else if digest.algorithm != .md5, known.strong != nil {
                throw .conflict("os_hash_algo is already set to a different value.")
            } else {
                isNew = true
            }
        }
        guard !isNew || image.status == .queued || image.status == .importing else {
            throw .conflict("New values in validation_data are accepted only while the image is queued.")
        }
        return claimed
    }

    private func name(of digest: Digest) -> String { digest.algorithm == .md5 ? "checksum" : "os_hash_value" }

    /// The claimed digests.
    /// - Throws: `APIError` with the given status if a digest is malformed or its algorithm is unknown.
    func digests(orElse status: APIError.Malformed) throws(APIError) -> DigestSet {
        var digests = DigestSet()
        do {
            if let checksum { digests[.md5] = try Digest(.md5, hex: checksum) }
        } catch {
            throw status.error("checksum: \(error).")
        }
        guard let algorithm, let value else { return digests }
        guard let known = DigestAlgorithm(rawValue: algorithm) else {
            throw status.error("os_hash_algo must be one of sha512, sha256, sha1 and md5.")
        }
        do { digests[known] = try Digest(known, hex: value) } catch { throw status.error("os_hash_value: \(error).") }
        return digests
    }
}

extension APIError {
    /// The status for a malformed digest, as in Glance: a conflict in a patch, a bad request elsewhere.
    enum Malformed {
        case conflict, badRequest

        fileprivate func error(_ message: String) -> APIError {
            APIError(self == .conflict ? .conflict : .badRequest, message)
        }
    }
}
