import Access
import BackendKit
import CurlTransfer
import Foundation
import HTTPBackend
import ImageCatalog
import ImageModel

/// Images whose locations lie in backends that clients may be sent to, and in others.
enum DirectImages {
    static let trusted = Caller(user: "t", project: "mine", roles: [.trusted])
    static let size: Int64 = 1234
    static let digest = String(repeating: "5a", count: 32)

    /// A backend that makes the URL it is given to make, which ends.
    struct URLDriver: Driver {
        let url: String
        let capabilities = Capabilities()

        func transferRequest(for read: ReadRequest) -> TransferRequest { TransferRequest(source: .url(url)) }
        func inspect(_ head: ResponseHead, of read: ReadRequest) -> Result<ObjectHead, AttemptFailure> {
            RangedAnswer(head).object(for: read)
        }
        func directURL(for path: String, lifetime: Duration) -> String? {
            url.isEmpty ? nil : "\(url)\(path)?e=\(lifetime.components.seconds)"
        }
    }

    /// A location to make: the backend's id, and what became of it.
    struct Entry {
        let backend: String
        var isVerified = true
        var isSuspect = false
    }

    /// Four backends, three of which redirect; `plain` has URLs that don't end, `signed` such that do, `none` makes none.
    static func fixture() throws -> APIFixture {
        func web(_ id: String, allowsRedirects: Bool) throws -> Backend {
            let base = try LocationURL("http://127.0.0.1:1/\(id)")
            return Backend(
                id: BackendID(id), base: base, driver: HTTPDriver(base: base, connectTimeout: .seconds(1)),
                allowsRedirects: allowsRedirects
            )
        }
        func other(_ id: String, _ url: String) throws -> Backend {
            Backend(
                id: BackendID(id), base: try LocationURL("http://127.0.0.1:1/\(id)"), driver: URLDriver(url: url),
                allowsRedirects: true)
        }
        return try APIFixture(backends: [
            web("closed", allowsRedirects: false), web("plain", allowsRedirects: true), other("signed", "https://store/b/"),
            other("long", "https://store/" + String(repeating: "k", count: 900)), other("none", ""),
            other("leaky", "http://user:hush@store/"),
        ])
    }

    static func image(_ entries: [Entry], in fixture: APIFixture) async throws -> (ImageID, [LocationID]) {
        let image = try await fixture.image(owner: "mine")
        var ids: [LocationID] = []
        for (index, entry) in entries.enumerated() {
            let location = try await fixture.catalog.addLocation(
                NewLocation(
                    image: image, backend: BackendID(entry.backend), path: "x\(index)",
                    url: "http://127.0.0.1:1/\(entry.backend)/x\(index)", format: Format(disk: .raw, container: .bare),
                    size: size,
                    digests: DigestSet([
                        try Digest(.sha256, hex: digest), try Digest(.md5, hex: String(repeating: "b", count: 32)),
                    ])), id: LocationID(), at: .now, actor: "test", reason: "registered")
            _ = try await fixture.catalog.apply(
                LocationChange(
                    .probed, of: location.id, actor: "test", reason: "there", at: .now, validator: Validator("v")))
            if entry.isVerified {
                try await fixture.catalog.recordVerification(of: location.id, validator: Validator("v"), at: .now)
            }
            ids.append(location.id)
        }
        for (id, entry) in zip(ids, entries) where entry.isSuspect {
            try await fixture.catalog.recordDigestMismatch(
                of: image, format: Format(disk: .raw, container: .bare), contributors: [id], at: .now, actor: "test",
                reason: "did not match")
        }
        return (image, ids)
    }
}
