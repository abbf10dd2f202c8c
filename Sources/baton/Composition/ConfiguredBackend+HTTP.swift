import BackendKit
import BatonConfig
import HTTPBackend

extension ConfiguredBackend {
    /// Reads the section of a web server.
    /// - Returns: nil if a required key is missing or invalid.
    static func http(_ section: BackendSection, _ configuration: BatonConfiguration) -> ConfiguredBackend? {
        let settings = section.settings
        let credentials = OriginCredentials(identity: identity(settings), fields: headerFields(settings))
        let redirects = redirects(settings)
        let access = serverAccess(settings)
        guard let text = settings.requiredString("url", example: "http://127.0.0.1:9001/") else { return nil }
        let base: LocationURL
        do {
            base = try LocationURL(text)
        } catch {
            settings.reject("url", "\(error)")
            return nil
        }
        guard base.scheme != "file" else {
            settings.reject("url", "the driver http reads http and https; for files use the driver file with its root")
            return nil
        }
        guard configuration.uploads.backend != section.id else {
            settings.reject("driver", "uploads.backend names this backend, and only the driver file takes uploads")
            return nil
        }
        let connectTimeout = configuration.relay.connectTimeout
        return ConfiguredBackend(id: section.id, driverName: "http", base: base, scopeKey: "url") { _ in
            HTTPDriver(
                base: base, connectTimeout: connectTimeout, access: access, credentials: credentials, redirects: redirects)
        }
    }

    /// - Returns: nil for a server without authentication, and if a key is invalid.
    private static func identity(_ settings: Section) -> OriginCredentials.Identity? {
        let user = settings.string("user")
        let password = settings.secret("password")
        let token = settings.secret("token")
        if settings.hasSecret("token"), user != nil || settings.hasSecret("password") {
            settings.reject(
                "token_\(settings.string("token_file") == nil ? "env" : "file")",
                "can't be combined with user; keep one of them")
            return nil
        }
        if let token {
            guard isFieldValue(token), !token.value.contains(" ") else {
                settings.reject(
                    "token_\(settings.string("token_file") == nil ? "env" : "file")",
                    "the token has blanks, control or non-ASCII characters")
                return nil
            }
            return .bearer(token.value)
        }
        guard let user else {
            if settings.hasSecret("password") {
                settings.reject("password_\(settings.string("password_file") == nil ? "env" : "file")", "needs user")
            }
            return nil
        }
        guard !user.isEmpty, !user.contains(":"), !user.contains(where: \.isNewline) else {
            settings.reject("user", "is not the name of a user: it must not be empty or contain a colon or a line break")
            return nil
        }
        settings.requireSecret("password", beside: "user")
        return password.map { .basic(user: user, password: $0.value) }
    }

    /// The header fields, in lower case, that Baton sets itself or that control the transfer.
    private static let ownFields: Set<String> = [
        "host", "range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "accept-encoding",
        "connection", "content-length", "transfer-encoding", "te", "expect", "upgrade", "proxy-authorization", "user-agent",
    ]

    private static func headerFields(_ settings: Section) -> [(name: String, value: String)] {
        let section = settings.section("header_files")
        let hasIdentity = settings.hasSecret("token") || settings.hasSecret("password")
        let fields = section.keys.compactMap { name -> (name: String, value: String)? in
            guard let secret = section.secret(inFile: name) else { return nil }
            guard isFieldName(name) else {
                section.reject(name, "is not the name of a header field")
                return nil
            }
            guard !ownFields.contains(name.lowercased()), name.lowercased() != "authorization" || !hasIdentity else {
                section.reject(name, "is a header field that Baton sets itself")
                return nil
            }
            guard isFieldValue(secret) else {
                section.reject(name, "the value of the header field has control or non-ASCII characters")
                return nil
            }
            return (name, secret.value)
        }
        section.finish()
        return fields
    }

    private static func redirects(_ settings: Section) -> [LocationURL] {
        settings.strings("allow_redirects_to").compactMap { text in
            do {
                let url = try LocationURL(text)
                if url.scheme != "file" { return url }
                settings.reject("allow_redirects_to", "redirects are followed to http and https URLs only")
            } catch {
                settings.reject("allow_redirects_to", "\(error)")
            }
            return nil
        }
    }

    /// Whether a text is a field name (RFC 9110 section 5.6.2).
    private static func isFieldName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    private static func isFieldValue(_ secret: Secret) -> Bool { secret.value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } }
}
