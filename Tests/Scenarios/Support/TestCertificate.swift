import Foundation

/// A certificate and its key in PEM files. It is self-signed unless another certificate signs it.
struct TestCertificate: Sendable {
    let file: String
    let keyFile: String

    /// Creates the certificate with openssl.
    /// - Parameters:
    ///   - name: the name of the files and of the certificate's subject.
    ///   - passphrase: the key's passphrase; nil for an unencrypted key.
    ///   - names: the names in `subjectAltName`.
    ///   - authority: the certificate that signs it; nil for self-signed.
    ///   - isRSA: whether the key is RSA instead of elliptic curve.
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
