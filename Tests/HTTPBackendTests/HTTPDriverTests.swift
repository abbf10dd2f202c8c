import BackendKit
import CurlTransfer
import ImageModel
import Testing

@testable import HTTPBackend

@Suite struct HTTPDriverTests {
    static let credentials = OriginCredentials(
        identity: .basic(user: "robot", password: "hush:ä"), fields: [("X-Key", "hush-key")])
    static let read = ReadRequest(path: "a b", range: ByteRange(first: 10, last: 19))

    static func driver(
        _ credentials: OriginCredentials = OriginCredentials(), certificate: ClientCertificate? = nil, redirects: [String] = []
    ) throws -> HTTPDriver {
        HTTPDriver(
            base: try LocationURL("https://store:8443/images"), connectTimeout: .seconds(1),
            access: OriginAccess(clientCertificate: certificate), credentials: credentials,
            redirects: try redirects.map { try LocationURL($0) })
    }

    static func redirected(_ request: TransferRequest?, to location: String) -> TransferRequest? {
        request?.redirect?(ResponseHead(status: 302, fields: [("location", location)]))
    }

    @Test("A request to the backend carries its credentials")
    func aRequestToTheBackendCarriesItsCredentials() throws {
        let basic = try Self.driver(Self.credentials).transferRequest(for: Self.read)
        #expect(basic.headers.contains { $0 == ("Authorization", "Basic cm9ib3Q6aHVzaDrDpA==") })
        #expect(basic.headers.contains { $0 == ("X-Key", "hush-key") })
        let bearer = try Self.driver(OriginCredentials(identity: .bearer("hush"))).transferRequest(for: Self.read)
        #expect(bearer.headers.contains { $0 == ("Authorization", "Bearer hush") })
        #expect(try Self.driver().transferRequest(for: Self.read).headers.map(\.name) == ["User-Agent"])
    }

    @Test("A redirect to another server carries the range and no credentials")
    func aRedirectToAnotherServerCarriesNoCredentials() throws {
        let certificate = ClientCertificate(certificateFile: "/c", keyFile: "/k", passphrase: nil)
        let driver = try Self.driver(
            Self.credentials, certificate: certificate,
            redirects: ["https://store:8443/", "https://store/", "http://store:8443/", "https://cdn:8443/"])
        let first = driver.transferRequest(for: Self.read)
        #expect(first.clientCertificate != nil)
        for other in ["https://cdn:8443/a", "https://store/a", "http://store:8443/a"] {
            let next = try #require(Self.redirected(first, to: other))
            #expect(next.headers.map(\.name) == ["User-Agent"], "\(other)")
            #expect(next.clientCertificate == nil)
            #expect(next.range == 10...19)
            // And back again.
            let back = try #require(Self.redirected(next, to: "https://store:8443/x"))
            #expect(back.headers.count == 3)
            #expect(back.clientCertificate != nil)
        }
        let own = try #require(Self.redirected(first, to: "/other"))
        #expect(own.headers.count == 3)
    }

    @Test("Each hop is checked again, and the number of hops is limited")
    func eachHopIsCheckedAndHopsAreLimited() throws {
        var request: TransferRequest? = try Self.driver(redirects: ["https://store:8443/"]).transferRequest(for: Self.read)
        #expect(Self.redirected(Self.redirected(request, to: "/b"), to: "https://cdn/") == nil)
        for hop in 0..<RedirectRule.limit {
            request = Self.redirected(request, to: "next-\(hop)")
            #expect(request != nil)
        }
        #expect(Self.redirected(request, to: "one-more") == nil)
        #expect(try Self.driver().transferRequest(for: Self.read).redirect == nil)
    }

    @Test("A fresh read stays fresh after a redirect")
    func aFreshReadStaysFreshAfterARedirect() throws {
        let read = ReadRequest(path: "a", range: nil, isFresh: true)
        let request = try Self.driver(redirects: ["https://cdn/"]).transferRequest(for: read)
        #expect(Self.redirected(request, to: "https://cdn/a")?.isFresh == true)
    }

    @Test("A backend that needs credentials has no direct URL")
    func aBackendThatNeedsCredentialsHasNoDirectURL() throws {
        let certificate = ClientCertificate(certificateFile: "/c", keyFile: "/k", passphrase: nil)
        #expect(try Self.driver().directURL(for: "a b", lifetime: .zero) == "https://store:8443/images/a%20b")
        for driver in [try Self.driver(Self.credentials), try Self.driver(certificate: certificate)] {
            #expect(driver.directURL(for: "a b", lifetime: .seconds(60)) == nil)
        }
    }

    @Test("No description shows a secret")
    func noDescriptionShowsASecret() throws {
        let certificate = ClientCertificate(certificateFile: "/c", keyFile: "/k", passphrase: "hush")
        let proxy = Proxy(url: "http://proxy:3128", host: "proxy", credentials: ("user", "hush"))
        let driver = HTTPDriver(
            base: try LocationURL("https://store/"), connectTimeout: .seconds(1),
            access: OriginAccess(clientCertificate: certificate, proxy: proxy), credentials: Self.credentials)
        var text = "\(driver) \(Self.credentials) \(certificate) \(proxy)" + String(reflecting: driver)
        dump(driver, to: &text)
        #expect(!text.contains("hush") && !text.contains("cm9ib3"))
    }

    @Test("The error for a refused redirect says why and does not show the target")
    func aRefusedRedirectIsExplainedWithoutItsTarget() throws {
        func detail(_ driver: HTTPDriver) -> String? {
            let head = ResponseHead(status: 302, fields: [("location", "https://evil/secret")])
            guard case .failure(let failure) = driver.inspect(head, of: Self.read) else { return nil }
            return failure.reason == .redirect ? failure.detail : nil
        }
        #expect(try detail(Self.driver())?.contains("not followed") == true)
        let text = try #require(try detail(Self.driver(redirects: ["https://cdn/"])))
        #expect(text.contains("allow_redirects_to") && !text.contains("evil"))
    }
}
