import BackendKit
import FaultyOrigin
import Foundation
import Keystone
import OpenStackSwiftBackend
import Testing

/// The driver `swift`, a real OpenStack Swift, and a real Keystone that authorises its callers.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct OpenStackSwiftKeystoneScenarios {
    static let content = PatternedContent(size: 1_000_003, seed: 94)

    private func login(
        _ keystone: KeystoneProcess, _ credentials: KeystoneSettings.Credentials, region: String? = nil
    ) throws -> any OpenStackSwiftLogin {
        let settings = KeystoneSettings(
            url: keystone.url, credentials: credentials, timeout: .seconds(60), authorities: nil)
        return try #require(OpenStackSwiftKeystoneLogin(settings, wanted: CatalogEntry(region: region), account: nil))
    }

    private func password(of user: String, in project: String, _ keystone: KeystoneProcess)
        -> KeystoneSettings.Credentials
    {
        .password(
            user: user, userDomain: "Default", password: keystone.users[user]?.password ?? "", project: project,
            projectDomain: "Default")
    }

    @Test("Keystone gives the account's URL and decides who may read it")
    func keystoneGivesTheAccountsURL() async throws {
        let keystone = try await KeystoneProcess()
        let node = try await OpenStackSwiftNode(keystone: keystone)
        try await node.store(Self.content, as: "a b//c")

        let (id, secret) = try await keystone.applicationCredential(of: "alice")
        let owners = [password(of: "alice", in: "a", keystone), .applicationCredential(id: id, secret: secret)]
        for credentials in owners {
            let reader = try OpenStackSwiftReader(
                node, login: try login(keystone, credentials), signer: TempURLSigner(key: node.temporaryURLKey))
            #expect(Self.content.matches(try await reader.read("a b//c").bytes))
            // The tokens of the test's Keystone are valid for an hour or more.
            #expect(reader.driver.credentials?.isReady == true)
            let url = try #require(reader.driver.directURL(for: "a b//c", lifetime: .seconds(60)))
            #expect(url.hasPrefix("\(node.storageURL)/images/a%20b//c?"))
        }

        // Bob's project has its own account, in which he has only the role reader.
        let bob = try OpenStackSwiftReader(node, login: try login(keystone, password(of: "bob", in: "b", keystone)))
        let other = await #expect(throws: AttemptFailure.self) { try await bob.read("a b//c") }
        #expect(other?.detail.hasPrefix("answered with status 403") == true)

        let outsider = try OpenStackSwiftReader(node, login: try login(keystone, password(of: "bob", in: "a", keystone)))
        let refused = await #expect(throws: AttemptFailure.self) { try await outsider.read("a b//c") }
        #expect(refused?.failureClass == .credentials)
        #expect(refused?.detail.hasPrefix("the log-in was answered with status 401") == true)

        let lost = try OpenStackSwiftReader(
            node, login: try login(keystone, password(of: "alice", in: "a", keystone), region: "elsewhere"))
        let nowhere = await #expect(throws: AttemptFailure.self) { try await lost.read("a b//c") }
        #expect(nowhere?.detail.contains("in the region elsewhere") == true)

        keystone.crash()
        let late = try OpenStackSwiftReader(node, login: try login(keystone, password(of: "alice", in: "a", keystone)))
        let unreachable = await #expect(throws: AttemptFailure.self) { try await late.read("a b//c") }
        #expect(unreachable?.failureClass == .backend)
    }
}
