import BackendKit
import FaultyOrigin
import Foundation
import ImageModel
import Testing

/// Downloads through Baton whose locations are in a real OpenStack Swift, by the driver `swift` and by the driver `s3`.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct OpenStackSwiftDownloadScenarios {
    static let content = PatternedContent(size: 30_000_001, seed: 95)

    /// Words that must appear nowhere: the key, and the marks of a token and a signature.
    static let secrets = ["testing", "AUTH_tk", "temp-url-key", "temp_url_sig"]

    private func backend(
        _ node: OpenStackSwiftNode, _ directory: TestDirectory, extra: String = ""
    ) throws -> String {
        let key = try directory.write("testing\n", to: "key")
        let temporary = try directory.write("temp-url-key\n", to: "temp-url-key")
        return #"driver: swift, auth_url: "\#(node.url)/auth/v1.0", user: "test:tester", key_file: "\#(key)", "#
            + #"container: images, temp_url_key_file: "\#(temporary)"\#(extra)"#
    }

    @Test("A static large object is downloaded and verified")
    func aStaticLargeObjectIsDownloadedAndVerified() async throws {
        let node = try await OpenStackSwiftNode.shared.value
        try await node.storeSegments(of: Self.content, as: "slo/x y")
        try await node.join(Self.content, as: "slo/x y", isStatic: true)
        let directory = try TestDirectory()
        let baton = try await BatonProcess(
            backends: ["swift": try backend(node, directory)], settings: BatonProcess.timeout, directory: directory,
            logLevel: "trace")
        let image = try await baton.addImage(of: Self.content, at: ["swift://swift/slo/x%20y"])
        let response = try await baton.download(image, of: Self.content)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
        // The last byte leaves before the verification is recorded.
        _ = try await baton.manifest(of: image)
        let part = try await baton.download(
            image, of: Self.content, headers: ["Range": "bytes=5000000-25000000"], from: 5_000_000)
        #expect(part.status == 206)
        #expect(part.isComplete && part.firstWrongByte == nil)
        let told = try await baton.send("GET", "/baton/v1/images/\(image)/locations").text + baton.rawLog
        for word in Self.secrets { #expect(!told.contains(word), "\(word)") }
    }

    @Test("A URL below the container's URL names the same location")
    func aURLBelowTheContainersURLNamesTheSameLocation() async throws {
        let node = try await OpenStackSwiftNode.shared.value
        let content = PatternedContent(size: 3_000_001, seed: 96)
        try await node.store(content, as: "below/x")
        let directory = try TestDirectory()
        let known = try backend(node, directory, extra: #", storage_url: "\#(node.storageURL)", prefix: below/"#)
        let baton = try await BatonProcess(backends: ["swift": known], settings: BatonProcess.timeout, directory: directory)
        for url in ["\(node.storageURL)/images/below/x", "swift://swift/x"] {
            let image = try await baton.addImage(of: content, at: [url])
            let response = try await baton.download(image, of: content)
            #expect(response.isComplete && response.firstWrongByte == nil)
        }
        let image = try await baton.addImage()
        let beside = try await baton.send(
            "POST", "/baton/v1/images/\(image)/locations", body: #"{"url": "\#(node.storageURL)/images/x"}"#)
        #expect(beside.status == 403)
        #expect(beside.errorMessage.contains("swift (\(node.storageURL)/images/below/)"))
    }

    /// The node's proxy is killed in mid-stream.
    @Test("When the store dies in mid-stream, another location finishes the download")
    func anotherLocationFinishesWhenTheStoreDies() async throws {
        let node = try await OpenStackSwiftNode()
        try await node.store(Self.content, as: "x")
        let other = try FaultyOrigin(Self.content)
        defer { other.stop() }
        let directory = try TestDirectory()
        let baton = try await BatonProcess(
            backends: ["swift": try backend(node, directory), "other": #"driver: http, url: "\#(other.url(""))""#],
            settings: BatonProcess.timeout, directory: directory)
        let image = try await baton.addImage(of: Self.content, at: ["swift://swift/x", other.url("x")])
        let port = baton.port
        let (begun, beginning) = try await onOwnThread {
            let client = try TestClient(port: port, receiveBuffer: 65_536)
            try client.send("GET", "/v2/images/\(image)/file")
            var response = client.receiveHead()
            client.receiveBody(&response, upTo: 4_000_000, expected: (Self.content, 0))
            node.crash("proxy")
            client.receiveBody(&response, expected: (Self.content, 0))
            return (response.status, response)
        }
        #expect(begun == 200)
        #expect(beginning.isComplete)
        #expect(beginning.firstWrongByte == nil)
        let relay = await baton.relay(of: image)
        #expect(relay.fields["failures"]?.first?.hasPrefix("swift ") == true)
        #expect(other.record.downloads.count == 1)
    }

    /// Rot as it really happens: the store answers with a complete 200, the old ETag and a wrong byte; only afterwards it notices and no
    /// longer has the object.
    @Test("A byte that rotted in the store never completes a download")
    func aRottenByteNeverCompletesADownload() async throws {
        let node = try await OpenStackSwiftNode()
        try await node.store(Self.content, as: "x")
        let other = try FaultyOrigin(Self.content)
        defer { other.stop() }
        let directory = try TestDirectory()
        let baton = try await BatonProcess(
            backends: ["swift": try backend(node, directory), "other": #"driver: http, url: "\#(other.url(""))""#],
            settings: BatonProcess.timeout, directory: directory)
        let image = try await baton.addImage(of: Self.content, at: ["swift://swift/x", other.url("x")])
        try node.rot(size: Self.content.size, at: 20_000_000)
        let rotten = try await baton.download(image, of: Self.content)
        #expect(!rotten.isComplete)
        #expect(rotten.firstWrongByte == 20_000_000)
        let relay = await baton.relay(of: image)
        #expect(relay["outcome"] == "digest-mismatch")
        try await eventually("the other backend to be first") { try await baton.explained(image).first == "other" }
        let sound = try await baton.download(image, of: Self.content)
        #expect(sound.isComplete)
        #expect(sound.firstWrongByte == nil)
    }

    /// OpenStack Swift's s3api: the same objects by the other protocol.
    @Test("The driver s3 reads the same objects", arguments: ["plain", "a b/c+d%", "..up//...x/.y/", "ä/日本語?#&=;"])
    func theDriverS3ReadsTheSameObjects(name: String) async throws {
        let node = try await OpenStackSwiftNode.shared.value
        let content = PatternedContent(size: 2_000_003, seed: 97)
        try await node.store(content, as: "s3/\(name)")
        let directory = try TestDirectory()
        let secret = try directory.write("testing\n", to: "secret")
        let store =
            #"driver: s3, url: "\#(node.url)", bucket: images, access_key: "test:tester", secret_key_file: "\#(secret)", "#
            + #"prefix: "s3/""#
        let baton = try await BatonProcess(backends: ["s3": store], settings: BatonProcess.timeout, directory: directory)
        let image = try await baton.addImage(of: content, at: ["s3://s3/\(LocationURL.encode(path: name))"])
        let response = try await baton.download(image, of: content)
        #expect(response.isComplete)
        #expect(response.firstWrongByte == nil)
    }

    /// The store's message reaches the caller who adds a location; the string to sign that comes with it reaches no one.
    @Test("A store's error code is passed on without the string to sign")
    func aStoresErrorCodeIsPassedOnWithoutTheStringToSign() async throws {
        let node = try await OpenStackSwiftNode.shared.value
        let directory = try TestDirectory()
        func store(_ bucket: String, _ secret: String) throws -> String {
            let file = try directory.write("\(secret)\n", to: secret)
            return
                #"driver: s3, url: "\#(node.url)", bucket: \#(bucket), access_key: "test:tester", secret_key_file: "\#(file)""#
        }
        let baton = try await BatonProcess(
            backends: [
                "right": try store("images", "testing"), "nowhere": try store("no-such-bucket", "testing"),
                "wrong": try store("others", "hush-secret"),
            ], settings: BatonProcess.timeout, directory: directory, logLevel: "trace")
        for (backend, code) in [("right", "NoSuchKey"), ("nowhere", "NoSuchBucket"), ("wrong", "SignatureDoesNotMatch")] {
            let image = try await baton.addImage()
            let answer = try await baton.send(
                "POST", "/baton/v1/images/\(image)/locations",
                body:
                    #"{"url": "s3://\#(backend)/not-there", "size": 9, "digests": {"md5": "\#(String(repeating: "0", count: 32))"}}"#
            )
            #expect(answer.text.contains(code), "\(answer.text)")
            for word in ["hush", "AWS4-HMAC", "StringToSign"] {
                #expect(!(answer.text + baton.rawLog).contains(word), "\(word)")
            }
        }
    }

    /// The ETag of an object in one piece is its MD5: a different declared one is wrong before any byte is read.
    @Test("A declared digest that the store contradicts keeps a location pending")
    func aContradictedDigestKeepsALocationPending() async throws {
        let node = try await OpenStackSwiftNode.shared.value
        let content = PatternedContent(size: 1_000_003, seed: 99)
        try await node.store(content, as: "digest")
        let directory = try TestDirectory()
        let baton = try await BatonProcess(
            backends: ["swift": try backend(node, directory)], settings: BatonProcess.timeout, directory: directory)
        for (md5, status) in [(content.digest(.md5), "active"), (String(repeating: "0", count: 32), "pending")] {
            let image = try await baton.addImage()
            let answer = try await baton.send(
                "POST", "/baton/v1/images/\(image)/locations",
                body: #"{"url": "swift://swift/digest", "size": \#(content.size), "digests": {"md5": "\#(md5)"}}"#)
            #expect(answer.json["status"] as? String == status, "\(answer.text)")
            #expect((answer.json["problem"] as? String)?.hasPrefix("wrong-digest:") == (status == "pending" ? true : nil))
        }
    }

    @Test("explain shows the store's last error")
    func explainShowsTheStoresLastError() async throws {
        let node = try await OpenStackSwiftNode.shared.value
        let content = PatternedContent(size: 2_000_003, seed: 98)
        try await node.store(content, as: "gone")
        let other = try FaultyOrigin(content)
        defer { other.stop() }
        let directory = try TestDirectory()
        let secret = try directory.write("testing\n", to: "secret")
        let store =
            #"driver: s3, url: "\#(node.url)", bucket: images, access_key: "test:tester", secret_key_file: "\#(secret)""#
        let baton = try await BatonProcess(
            backends: ["s3": store, "other": #"driver: http, url: "\#(other.url(""))""#], settings: BatonProcess.timeout,
            directory: directory)
        let image = try await baton.addImage(of: content, at: ["s3://s3/gone", other.url()])
        try await node.send("DELETE", "gone")
        #expect(try await baton.download(image, of: content).isComplete)
        let explained = try await baton.send("GET", "/baton/v1/images/\(image)/explain").text
        #expect(explained.contains(#""reason":"missing""#) && explained.contains("NoSuchKey"), "\(explained)")
    }

    @Test(
        "An error in a container's keys is reported once",
        arguments: [
            (#"storage_url: "http://s/v1/A""#, "b.container: is missing"),
            (#"container: "a/b", storage_url: "http://s/v1/A""#, "b.container: is not a container name"),
            (#"container: a, prefix: "../x", storage_url: "http://s/v1/A""#, "b.prefix: has an empty segment, a dot segment"),
            ("container: a", "b.driver: needs auth_url or keystone, or storage_url for a public container"),
            (#"container: a, auth_url: "http://s/auth/v1.0""#, "b.auth_url: needs user, e.g."),
            (#"container: a, auth_url: "http://s/auth/v1.0", user: "a:u""#, "b.user: needs key_file or key_env"),
            (#"container: a, storage_url: "http://s/v1/A", user: "a:u""#, "b.user: needs auth_url"),
            (#"container: a, storage_url: "http://s/v1/A", key_env: PATH"#, "b.key_env: needs auth_url"),
            (
                #"container: a, auth_url: "http://s/auth/v1.0", user: u, key_env: hush-key"#,
                "b.key_env: names no environment variable"
            ),
            (
                #"container: a, auth_url: "http://u:hush@s/auth/v1.0", user: u, key_env: PATH"#,
                "b.auth_url: the URL holds credentials"
            ),
            (#"container: a, storage_url: "file:///x""#, "b.storage_url: the driver swift reads http and https"),
            (
                #"container: a, auth_url: "http://s/auth", user: u, key_env: PATH, "#
                    + #"keystone: { url: "http://k", user: u, project: p, password_env: PATH }"#,
                "b.auth_url: can't be combined with keystone"
            ),
            (
                #"container: a, keystone: { url: "http://k" }"#,
                "b.keystone.url: needs user or application_credential_id"
            ),
            (
                #"container: a, keystone: { user: u, project: p, password_env: PATH }, storage_url: "http://s/v1/A""#,
                "b.keystone.url: is missing"
            ),
            (
                #"container: a, keystone: { url: "http://k", user: u, password_env: PATH }"#,
                "b.keystone.user: needs project"
            ),
            (
                #"container: a, keystone: { url: "http://k", user: u, project: p, password_env: PATH, interface: best }"#,
                "b.keystone.interface: \"best\" is not known"
            ),
            (
                #"container: a, storage_url: "http://s/v1/A", temp_url_key_file: /nowhere/k"#,
                "b.temp_url_key_file: /nowhere/k can't be read"
            ),
            (#"container: a, storage_url: "http://s/v1/A", temp_url_digest: md5"#, "b.temp_url_digest: \"md5\" is not known"),
            (#"container: a, storage_url: "http://s/v1/A", containr: b"#, "b.containr: no such key; did you mean container?"),
        ])
    func anErrorInAContainersKeysIsReportedOnce(keys: String, expected: String) async throws {
        let directory = try TestDirectory()
        let file = try directory.write(
            "backends:\n  b: { driver: swift, \(keys) }\n", to: "baton.yaml")
        let checked = try await BatonCommand.run(["check", "--config", file])
        #expect(checked.status != 0)
        #expect(checked.errors.contains(expected), "\(checked.errors)")
        #expect(checked.errors.split(separator: "\n").count { $0.contains("baton.yaml") } == 1, "\(checked.errors)")
        #expect(!checked.errors.contains("hush"))
    }
}
