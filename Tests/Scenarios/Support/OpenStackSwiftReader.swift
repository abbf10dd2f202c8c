import BackendKit
import CurlTransfer
import FaultyOrigin
import Foundation
import ImageModel
import NetworkAddress
import OpenStackSwiftBackend

/// Reads objects with the driver without a relay, but with the same log-ins: a token before the first request, and one new
/// token after a 401.
final class OpenStackSwiftReader: Sendable {
    let driver: OpenStackSwiftDriver
    private let loop = TransferLoop(name: "test", slabSize: 65_536)

    /// Creates a reader.
    /// - Parameter login: the log-in; nil for a public container.
    init(
        _ store: any OpenStackSwiftStore, login: (any OpenStackSwiftLogin)?, signer: TempURLSigner? = nil,
        now: @escaping @Sendable () -> Date = { .now }
    ) throws {
        let loop = loop
        let credentials = login.map { login in
            OpenStackSwiftCredentials(login) { request throws(TransferError) in
                try await Exchange.run(request, on: loop, limit: 1 << 20, timeout: .seconds(60))
            }
        }
        driver = OpenStackSwiftDriver(
            container: try OpenStackSwiftContainer("images"), account: login == nil ? try LocationURL(store.storageURL) : nil,
            credentials: credentials, signer: signer, connectTimeout: .seconds(60),
            access: OriginAccess(addresses: AddressPolicy(allowing: [.loopback])), now: now)
    }

    /// Creates a reader that logs in with TempAuth.
    convenience init(
        _ store: any OpenStackSwiftStore, user: String = "test:tester", key: String = "testing", signer: TempURLSigner? = nil,
        now: @escaping @Sendable () -> Date = { .now }
    ) throws {
        let login = TempAuthLogin(
            url: "\(store.url)/auth/v1.0", user: user, key: key, account: nil, timeout: .seconds(60))
        try self.init(store, login: login, signer: signer, now: now)
    }

    deinit { loop.stop() }

    /// Reads the head of an object and all bytes that the head declares.
    func read(_ key: String, _ range: ByteRange? = nil) async throws(AttemptFailure) -> (head: ObjectHead, bytes: [UInt8]) {
        guard let credentials = driver.credentials else { return try await readOnce(key, range) }
        if !credentials.isReady { try await credentials.renew(beyond: credentials.generation) }
        let generation = credentials.generation
        do {
            return try await readOnce(key, range)
        } catch  where error.failureClass == .credentials {
            try await credentials.renew(beyond: generation)
            return try await readOnce(key, range)
        }
    }

    private func readOnce(
        _ key: String, _ range: ByteRange?
    ) async throws(AttemptFailure) -> (head: ObjectHead, bytes: [UInt8]) {
        let read = ReadRequest(path: key, range: range)
        let answer: Exchange.Answer
        do {
            answer = try await Exchange.run(driver.transferRequest(for: read), on: loop, limit: 1 << 26, timeout: nil)
        } catch {
            throw driver.classify(error)
        }
        return (try driver.inspect(answer.head, of: read).get(), answer.body)
    }
}

extension PatternedContent {
    /// Whether bytes equal those of the content from `offset` on.
    func matches(_ bytes: [UInt8], at offset: Int64 = 0) -> Bool {
        bytes.withUnsafeBytes { firstDifference(from: $0, at: offset) == nil }
    }
}
