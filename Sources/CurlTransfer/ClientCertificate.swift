/// The certificate that is sent to a server on request (TLS client authentication).
///
/// Printing, debugging and reflection show the names of the files only.
package struct ClientCertificate: Sendable, Undisclosed {
    /// The path of the PEM file with the certificate, followed by the chain to its root.
    package let certificateFile: String
    /// The path of the PEM file with the private key.
    package let keyFile: String
    let passphrase: String?

    /// - Parameter passphrase: the passphrase of the key; nil if the key is not encrypted.
    package init(certificateFile: String, keyFile: String, passphrase: String?) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.passphrase = passphrase
    }

    package var description: String { "\(certificateFile), \(keyFile)" }
}
