import Access
import BackendKit
import BatonConfig
import CurlTransfer
import Keystone
import NetworkAddress
import OpenStackSwiftBackend

extension ConfiguredBackend {
    /// The largest log-in response in bytes. A log-in has a few KiB, Keystone's catalog a hundred KiB at most.
    private static let loginLimit = 1 << 20

    /// Reads the section of an OpenStack Swift container.
    /// - Returns: nil if a required key is missing or invalid.
    static func swift(_ section: BackendSection, _ configuration: BatonConfiguration) -> ConfiguredBackend? {
        let settings = section.settings
        let container = swiftContainer(settings)
        let account = swiftURL("storage_url", settings)
        let timeout = settings.duration(
            "auth_timeout", default: .seconds(5), in: .milliseconds(100) ... .seconds(60))
        let login = swiftLogin(settings, account: account, timeout: timeout)
        let access = swiftAccess(settings, account)
        let signer = swiftSigner(settings)
        guard let container else { return nil }
        guard configuration.uploads.backend != section.id else {
            settings.reject("driver", "uploads.backend names this backend, and only the driver file takes uploads")
            return nil
        }
        let connectTimeout = configuration.relay.connectTimeout
        return ConfiguredBackend(
            id: section.id, driverName: "swift", base: account.flatMap { container.base(in: $0) }, keyScheme: "swift",
            scope: account == nil ? loginScope(settings) : nil, scopeKey: "container"
        ) { loop in
            let credentials = login.map { login in
                OpenStackSwiftCredentials(login) { request throws(TransferError) in
                    var request = request
                    access.apply(to: &request, host: "")
                    return try await Exchange.run(request, on: loop, limit: loginLimit, timeout: timeout)
                }
            }
            // Logs in before the first read, so that it need not wait. A read without a token logs in again.
            if let credentials { Task { try? await credentials.renew(beyond: 0) } }
            return OpenStackSwiftDriver(
                container: container, account: account, credentials: credentials, signer: signer,
                connectTimeout: connectTimeout, access: access)
        }
    }

    /// The scope of the container in the account of a log-in, identified by the log-in's server and user.
    private static func loginScope(_ settings: Section) -> BackendScope {
        let keystone = settings.section("keystone")
        let words = [
            settings.string("auth_url"), settings.string("user"), keystone.string("url"), keystone.string("project"),
            keystone.string("project_domain"), keystone.string("application_credential_id"), keystone.string("region"),
        ]
        let path = settings.string("container", default: "") + "/" + settings.string("prefix", default: "")
        return BackendScope(
            origin: "swift " + words.map { $0 ?? "-" }.joined(separator: " "),
            segments: path.split(separator: "/").map(String.init))
    }

    /// The access to the log-in and the store. Hosts that the configuration names are allowed whatever the class of their
    /// addresses. For the URL that a log-in returns, the address policy applies.
    private static func swiftAccess(_ settings: Section, _ account: LocationURL?) -> OriginAccess {
        var access = serverAccess(settings)
        let written = [settings.string("auth_url"), settings.section("keystone").string("url")].compactMap { $0 }
        let hosts = written.compactMap { try? LocationURL($0).host } + (account.map { [$0.host] } ?? [])
        for host in hosts { access.addresses = access.addresses.permitting(host: host) }
        return access
    }

    private static func swiftContainer(_ settings: Section) -> OpenStackSwiftContainer? {
        let name = settings.requiredString("container", example: "images")
        let prefix = settings.string("prefix", default: "")
        guard let name else { return nil }
        do {
            return try OpenStackSwiftContainer(name, prefix: prefix)
        } catch {
            settings.reject(error == .name ? "container" : "prefix", "\(error)")
            return nil
        }
    }

    private static func swiftURL(_ key: String, _ settings: Section) -> LocationURL? {
        guard let text = settings.string(key) else { return nil }
        do {
            let url = try LocationURL(text)
            if url.scheme != "file" { return url }
            settings.reject(key, "the driver swift reads http and https")
        } catch {
            settings.reject(key, "\(error)")
        }
        return nil
    }

    /// - Returns: nil for a public container, and if a key is invalid.
    private static func swiftLogin(
        _ settings: Section, account: LocationURL?, timeout: Duration
    ) -> (any OpenStackSwiftLogin)? {
        let keystone = swiftKeystone(
            settings.section("keystone"), account: account, timeout: timeout)
        let user = settings.string("user")
        let key = settings.secret("key")
        guard settings.string("auth_url") != nil else {
            for key in ["user", "key_file", "key_env"] where settings.string(key) != nil {
                settings.reject(key, "needs auth_url")
            }
            if !keystone.isConfigured, settings.string("storage_url") == nil {
                settings.reject(
                    "driver", "needs auth_url or keystone, or storage_url for a public container")
            }
            return keystone.login
        }
        if keystone.isConfigured { settings.reject("auth_url", "can't be combined with keystone; keep one of them") }
        let url = swiftURL("auth_url", settings)
        guard let user, user.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            settings.reject("auth_url", "needs user, e.g. user: \"account:user\"")
            return nil
        }
        settings.requireSecret("key", beside: "user")
        guard let url, let key else { return nil }
        return TempAuthLogin(
            url: "\(url)", user: user, key: key.value, account: account, timeout: timeout)
    }

    private static func swiftKeystone(
        _ section: Section, account: LocationURL?, timeout: Duration
    ) -> (isConfigured: Bool, login: (any OpenStackSwiftLogin)?) {
        let url = section.keystoneURL(isNeeded: false)
        let credentials = section.keystoneCredentials()
        let wanted = CatalogEntry(
            serviceType: section.string("service_type", default: "object-store"), region: section.string("region"),
            interface: section.choice("interface", default: CatalogEntry.Interface.public))
        section.finish()
        let isConfigured = section.string("url") != nil
        if isConfigured, section.string("user") == nil, section.string("application_credential_id") == nil {
            section.reject("url", "needs user or application_credential_id")
        }
        if !isConfigured, credentials != nil {
            section.reject("url", "is missing; write for example url: \"http://127.0.0.1:5000\"")
        }
        guard let url, let credentials else { return (isConfigured, nil) }
        let settings = KeystoneSettings(
            url: url, credentials: credentials.identityCredentials, timeout: timeout, authorities: nil)
        return (isConfigured, OpenStackSwiftKeystoneLogin(settings, wanted: wanted, account: account))
    }

    private static func swiftSigner(_ settings: Section) -> TempURLSigner? {
        let algorithm = settings.choice("temp_url_digest", default: TempURLSigner.Algorithm.sha256)
        return settings.secret("temp_url_key").map { TempURLSigner(key: $0.value, algorithm: algorithm) }
    }
}
