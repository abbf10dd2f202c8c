import BackendKit
import CurlTransfer
import Foundation
import Keystone
import Testing

@testable import OpenStackSwiftBackend

@Suite struct TempAuthLoginTests {
    static func session(
        _ fields: [(name: String, value: String)], status: Int = 200, url: String = "http://store:8080/auth/v1.0",
        account: String? = nil
    ) throws -> OpenStackSwiftSession {
        let login = TempAuthLogin(
            url: url, user: "test:tester", key: "hush-key", account: try account.map { try LocationURL($0) },
            timeout: .seconds(1))
        return try login.session(from: .init(head: ResponseHead(status: status, fields: fields), body: []))
    }

    @Test("The account and the token are in the response's head", arguments: [200, 204])
    func accountAndTokenAreInTheHead(status: Int) throws {
        let session = try Self.session(
            [
                ("x-storage-url", "http://store:8080/v1/AUTH_test"), ("x-auth-token", "AUTH_tk1"),
                ("x-auth-token-expires", "86399"),
            ], status: status)
        #expect(session.account.description == "http://store:8080/v1/AUTH_test")
        #expect(session.token == "AUTH_tk1")
        #expect(session.lifetime == .seconds(86_399))
    }

    @Test("A configured account replaces the one in the answer")
    func aConfiguredAccountReplacesTheOneInTheAnswer() throws {
        let named = [(name: "x-storage-url", value: "http://inside/v1/AUTH_test"), (name: "x-auth-token", value: "t")]
        #expect(try Self.session(named, account: "https://outside/v1/A").account.description == "https://outside/v1/A")
        #expect(try Self.session([("x-storage-token", "t")], account: "http://outside/v1/A").lifetime == nil)
    }

    @Test(
        "An answer without a usable account or token is refused",
        arguments: [
            [("x-auth-token", "t")], [("x-storage-url", "http://s/v1/A")],
            [("x-auth-token", "t"), ("x-storage-url", "http://user:hush@s/v1/A")],
            [("x-auth-token", "t"), ("x-storage-url", "file:///etc")],
            [("x-auth-token", "t"), ("x-storage-url", "http://s/v1/../A")],
            [("x-auth-token", "a b"), ("x-storage-url", "http://s/v1/A")],
            [("x-auth-token", ""), ("x-storage-url", "http://s/v1/A")],
        ] as [[(name: String, value: String)]])
    func anAnswerWithoutAccountOrTokenIsRefused(fields: [(name: String, value: String)]) {
        let failure = #expect(throws: AttemptFailure.self) { try Self.session(fields) }
        #expect(failure?.failureClass == .backend)
        #expect(failure?.detail.contains("hush") == false)
    }

    @Test("A token fetched over TLS is not sent in the clear")
    func aTokenFetchedOverTLSIsNotSentInTheClear() throws {
        let fields = [(name: "x-storage-url", value: "http://store/v1/A"), (name: "x-auth-token", value: "t")]
        let failure = #expect(throws: AttemptFailure.self) { try Self.session(fields, url: "https://store/auth/v1.0") }
        #expect(failure?.reason == .tls)
        #expect(try Self.session(fields, url: "https://store/auth/v1.0", account: "https://store/v1/A").token == "t")
    }
}

@Suite struct OpenStackSwiftKeystoneLoginTests {
    static let catalog = """
        [{"type": "image", "endpoints": [{"interface": "public", "region_id": "one", "url": "http://image"}]},
         {"type": "object-store", "endpoints": [
            {"interface": "public", "region": "one", "region_id": "one", "url": "http://one:8080/v1/AUTH_a"},
            {"interface": "internal", "region": "one", "region_id": "one", "url": "http://inside:8080/v1/AUTH_a"},
            {"interface": "public", "region": "two", "region_id": "two", "url": "http://two:8080/v1/AUTH_a/"},
            {"interface": "public", "region": "odd", "region_id": "odd", "url": "http://odd/v1/AUTH_$(project_id)s?x"}]},
         {"type": "empty"}]
        """

    static func session(
        _ wanted: CatalogEntry, status: Int = 201, token: String? = "gAAAA", account: String? = nil, body: String? = nil
    ) throws -> OpenStackSwiftSession {
        let settings = KeystoneSettings(
            url: "http://id:5000/v3",
            credentials: .applicationCredential(id: "a1", secret: "hush-secret"), timeout: .seconds(1), authorities: nil)
        let login = try #require(
            OpenStackSwiftKeystoneLogin(settings, wanted: wanted, account: try account.map { try LocationURL($0) }))
        let text =
            body
                ?? """
                {"token": {"issued_at": "2026-09-01T10:00:00.000000Z", "expires_at": "2026-09-01T11:00:00.000000Z",
                           "catalog": \(catalog), "user": {"id": "u"}}}
                """
        let head = ResponseHead(status: status, fields: token.map { [("x-subject-token", $0)] } ?? [])
        return try login.session(from: .init(head: head, body: Array(text.utf8)))
    }

    @Test(
        "Keystone's catalogue tells where the account is",
        arguments: [
            (CatalogEntry(region: "one"), "http://one:8080/v1/AUTH_a"),
            (CatalogEntry(region: "two"), "http://two:8080/v1/AUTH_a"),
            (CatalogEntry(interface: .internal), "http://inside:8080/v1/AUTH_a"),
            (CatalogEntry(serviceType: "image"), "http://image"),
        ])
    func theCatalogueTellsWhereTheAccountIs(wanted: CatalogEntry, url: String) throws {
        let session = try Self.session(wanted)
        #expect(session.account.description == url)
        #expect(session.token == "gAAAA")
    }

    /// Whatever our own clock says.
    @Test("The lifetime is measured by Keystone's clock")
    func theLifetimeIsMeasuredByKeystonesClock() throws {
        #expect(try Self.session(CatalogEntry(region: "one")).lifetime == .seconds(3600))
        let body = #"{"token": {"expires_at": "2026-09-01T11:00:00Z", "catalog": \#(Self.catalog)}}"#
        #expect(try Self.session(CatalogEntry(region: "one"), body: body).lifetime == nil)
    }

    @Test(
        "A missing entry of the catalogue is reported",
        arguments: [
            (CatalogEntry(), "in several regions: set keystone.region"),
            (CatalogEntry(region: "three"), "no object-store with the interface public in the region three"),
            (CatalogEntry(interface: .admin), "no object-store with the interface admin"),
            (CatalogEntry(serviceType: "empty"), "names no empty"),
            (CatalogEntry(region: "odd"), "set storage_url instead"),
        ])
    func aMissingCatalogueEntryIsReported(wanted: CatalogEntry, words: String) throws {
        let failure = #expect(throws: AttemptFailure.self) { try Self.session(wanted) }
        #expect(failure?.failureClass == .credentials)
        #expect(failure?.detail.contains(words) == true, "\(failure?.detail ?? "")")
        #expect(try Self.session(wanted, account: "http://here/v1/A").account.description == "http://here/v1/A")
    }

    @Test(
        "A failed log-in is attributed to the credentials or to the backend",
        arguments: [
            (401, "gAAAA", nil, .credentials), (404, "gAAAA", nil, .backend), (201, nil, nil, .backend),
            (201, "gAAAA", "{}", .backend), (201, "gAAAA", "<html>", .backend), (503, "gAAAA", nil, .backend),
        ] as [(Int, String?, String?, FailureClass)])
    func aFailedLoginIsAttributed(status: Int, token: String?, body: String?, suspected: FailureClass) throws {
        let failure = #expect(throws: AttemptFailure.self) {
            try Self.session(CatalogEntry(region: "one"), status: status, token: token, body: body)
        }
        #expect(failure?.failureClass == suspected)
    }

    @Test("The catalogue is requested only where it is needed")
    func theCatalogueIsRequestedOnlyWhereItIsNeeded() throws {
        let settings = KeystoneSettings(
            url: "http://id:5000/v3/",
            credentials: .password(
                user: "baton", userDomain: "Default", password: "hush-password", project: "p", projectDomain: "Default"),
            timeout: .seconds(1), authorities: "/ca.pem")
        for (account, url) in [
            (nil, "http://id:5000/v3/auth/tokens"),
            (try LocationURL("http://here/v1/A"), "http://id:5000/v3/auth/tokens?nocatalog"),
        ] {
            let login = try #require(OpenStackSwiftKeystoneLogin(settings, wanted: CatalogEntry(), account: account))
            #expect(OpenStackSwiftDriverTests.url(login.request) == url)
            #expect(login.request.authorities == "/ca.pem")
            var text = "\(login) "
            dump(login, to: &text)
            #expect(!text.contains("hush"))
        }
        let nobody = KeystoneSettings(url: "http://id", credentials: .callersOwn, timeout: .seconds(1), authorities: nil)
        #expect(OpenStackSwiftKeystoneLogin(nobody, wanted: CatalogEntry(), account: nil) == nil)
    }
}
