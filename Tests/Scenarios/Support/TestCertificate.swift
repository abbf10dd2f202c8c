import Foundation

/// A certificate with its key, in files. It signs itself, unless another one does.
struct TestCertificate: Sendable {
    let file: String
    let keyFile: String

    /// - Parameters:
    ///   - name: what the files are called, and what the certificate calls its owner.
    ///   - passphrase: what the key is encrypted with; nil for not at all.
    ///   - names: what it is for, as `subjectAltName` has it.
    ///   - authority: whose key signs it; nil for its own.
    ///   - isRSA: whether the key is one of RSA instead of an elliptic curve's.
    init(
        _ name: String, in directory: TestDirectory, passphrase: String? = nil, names: String = "IP:127.0.0.1,DNS:localhost",
        signedBy authority: TestCertificate? = nil, isRSA: Bool = false
    ) async throws {
        file = directory.file("\(name).pem")
        keyFile = directory.file("\(name).key")
        let protection = passphrase.map { ["-passout", "pass:\($0)"] } ?? ["-nodes"]
        let signature =
            authority.map { ["-CA", $0.file, "-CAkey", $0.keyFile, "-addext", "basicConstraints=critical,CA:false"] } ?? []
        let made = try await BatonCommand.run(
            ["req", "-x509", "-newkey"] + (isRSA ? ["rsa:2048"] : ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]) + protection
                + [
                    "-keyout", keyFile, "-out", file, "-days", "2", "-subj", "/CN=\(name)", "-addext",
                    "subjectAltName=\(names)",
                ] + signature, program: "/usr/bin/openssl")
        guard made.status == 0 else { throw Failed(reason: made.errors) }
    }

    struct Failed: Error {
        let reason: String
    }
}
