internal import Foundation

/// A certificate that signs itself, with its key, in files.
struct TestCertificate: Sendable {
    let file: String
    let keyFile: String

    /// - Parameters:
    ///   - name: what the files are called, and what the certificate calls its owner.
    ///   - passphrase: what the key is encrypted with; nil for not at all.
    ///   - isRSA: whether the key is one of RSA instead of an elliptic curve's.
    init(_ name: String, in directory: TestDirectory, passphrase: String? = nil, isRSA: Bool = false) async throws {
        file = directory.file("\(name).pem")
        keyFile = directory.file("\(name).key")
        let protection = passphrase.map { ["-passout", "pass:\($0)"] } ?? ["-nodes"]
        let made = try await BatonCommand.run(
            ["req", "-x509", "-newkey"] + (isRSA ? ["rsa:2048"] : ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]) + protection
                + [
                    "-keyout", keyFile, "-out", file, "-days", "2", "-subj", "/CN=\(name)", "-addext",
                    "subjectAltName=IP:127.0.0.1,DNS:localhost",
                ], program: "/usr/bin/openssl")
        guard made.status == 0 else { throw Failed(reason: made.errors) }
    }

    struct Failed: Error {
        let reason: String
    }
}
