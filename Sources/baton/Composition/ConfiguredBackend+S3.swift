import BackendKit
import BatonConfig
import S3Backend

extension ConfiguredBackend {
    /// Reads the section of a bucket with the S3 API.
    /// - Returns: nil if a required key is missing or invalid.
    static func s3(_ section: BackendSection, _ configuration: BatonConfiguration) -> ConfiguredBackend? {
        let settings = section.settings
        let region = settings.string("region", default: "us-east-1")
        let isRegion = region.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ",") }
        if region.isEmpty || !isRegion {
            settings.reject("region", "is not the name of a region; write for example us-east-1")
        }
        let credentials = s3Credentials(settings)
        let access = serverAccess(settings)
        guard let endpoint = s3Endpoint(settings) else { return nil }
        guard configuration.uploads.backend != section.id else {
            settings.reject("driver", "uploads.backend names this backend, and only the driver file takes uploads")
            return nil
        }
        let connectTimeout = configuration.relay.connectTimeout
        return ConfiguredBackend(
            id: section.id, driverName: "s3", base: endpoint.base, keyScheme: "s3", scope: bucketScope(settings),
            scopeKey: "bucket"
        ) { _ in
            S3Driver(
                endpoint: endpoint, region: region, credentials: credentials, connectTimeout: connectTimeout, access: access)
        }
    }

    /// The scope of the bucket, the same for both styles of request URLs.
    private static func bucketScope(_ settings: Section) -> BackendScope? {
        guard let text = settings.string("url"), let url = try? LocationURL(text), let bucket = settings.string("bucket") else {
            return nil
        }
        let prefix = settings.string("prefix", default: "").split(separator: "/").map(String.init)
        return BackendScope(origin: "s3 \(BackendScope(url))", segments: [bucket] + prefix)
    }

    private static func s3Endpoint(_ settings: Section) -> S3Endpoint? {
        let text = settings.requiredString("url", example: "https://s3.eu-central-1.amazonaws.com")
        let bucket = settings.requiredString("bucket", example: "images")
        let prefix = settings.string("prefix", default: "")
        let style = settings.choice("style", default: S3Endpoint.Style.path)
        guard let text, let bucket else { return nil }
        let address: LocationURL
        do {
            address = try LocationURL(text)
        } catch {
            settings.reject("url", "\(error)")
            return nil
        }
        guard address.scheme != "file" else {
            settings.reject("url", "the driver s3 reads http and https")
            return nil
        }
        do {
            return try S3Endpoint(address: address, bucket: bucket, prefix: prefix, style: style)
        } catch {
            let key =
                switch error {
                case .bucket: "bucket"
                case .address: "url"
                case .prefix: "prefix"
                }
            settings.reject(key, "\(error)")
            return nil
        }
    }

    /// - Returns: nil for a public bucket, and if a key is invalid.
    private static func s3Credentials(_ settings: Section) -> S3Credentials? {
        let accessKey = settings.string("access_key")
        let secretKey = settings.secret("secret_key")
        let token = settings.secret("session_token")
        let keys = ["secret_key_file", "secret_key_env", "session_token_file", "session_token_env"]
        guard let accessKey else {
            for key in keys where settings.string(key) != nil { settings.reject(key, "needs access_key") }
            return nil
        }
        guard !accessKey.isEmpty, accessKey.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") }) else {
            settings.reject("access_key", "is not an access key: it must be ASCII without blanks and commas")
            return nil
        }
        settings.requireSecret("secret_key", beside: "access_key")
        guard let secretKey else { return nil }
        // The token is sent unchanged as a header field.
        guard token?.value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) != false else {
            settings.reject(
                settings.string(keys[2]) == nil ? keys[3] : keys[2],
                "the session token has blanks, control or non-ASCII characters")
            return nil
        }
        return S3Credentials(accessKey: accessKey, secretKey: secretKey.value, sessionToken: token?.value)
    }
}
