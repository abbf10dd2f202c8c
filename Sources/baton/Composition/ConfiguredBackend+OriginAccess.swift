import BackendKit
import BatonConfig
import CurlTransfer
import NetworkAddress

// The keys that the drivers http, s3 and swift share.
extension ConfiguredBackend {
    /// Reads the keys for the connection to a backend's servers: certificates, proxy and allowed addresses.
    static func serverAccess(_ settings: Section) -> OriginAccess {
        OriginAccess(
            authorities: settings.file("ca_file", pem: "CERTIFICATE", "certificate"), clientCertificate: certificate(settings),
            proxy: proxy(settings), addresses: AddressPolicy(allowing: Set(settings.choices("allow_addresses"))))
    }

    private static func certificate(_ settings: Section) -> ClientCertificate? {
        let certificate = settings.file("client_certificate_file", pem: "CERTIFICATE", "certificate")
        let key = settings.file("client_key_file", pem: "PRIVATE KEY", "private key")
        let passphrase = settings.secret(inFile: "client_key_passphrase_file")
        let keys = ["client_certificate_file", "client_key_file", "client_key_passphrase_file"]
        let isThere = keys.map { settings.string($0) != nil }
        if isThere[0] != isThere[1] {
            let (given, missing) = isThere[0] ? (keys[0], keys[1]) : (keys[1], keys[0])
            settings.reject(given, "needs \(missing)")
        } else if isThere[2], !isThere[1] {
            settings.reject(keys[2], "needs client_key_file")
        }
        guard let certificate, let key else { return nil }
        return ClientCertificate(certificateFile: certificate, keyFile: key, passphrase: passphrase?.value)
    }

    private static func proxy(_ settings: Section) -> Proxy? {
        let text = settings.string("proxy")
        let user = settings.string("proxy_user")
        let password = settings.secret(inFile: "proxy_password_file")
        let hasPassword = settings.string("proxy_password_file") != nil
        guard let text else {
            if user != nil { settings.reject("proxy_user", "needs proxy") }
            if hasPassword { settings.reject("proxy_password_file", "needs proxy") }
            return nil
        }
        if (user != nil) != hasPassword {
            let (given, missing) = user != nil ? ("proxy_user", "proxy_password_file") : ("proxy_password_file", "proxy_user")
            settings.reject(given, "needs \(missing)")
        }
        do {
            let url = try LocationURL(text)
            guard url.scheme == "http", url.segments.isEmpty else {
                settings.reject("proxy", "is not the URL of a proxy; write for example http://127.0.0.1:3128")
                return nil
            }
            let credentials = user.flatMap { user in password.map { (user: user, password: $0.value) } }
            // The port is always explicit, since libcurl defaults to 1080 for a proxy URL without a port.
            return Proxy(url: "http://\(url.host):\(url.port)", host: url.host, credentials: credentials)
        } catch {
            settings.reject("proxy", "\(error)")
            return nil
        }
    }
}
