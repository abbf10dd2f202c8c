/// What we show to a server that asks for a certificate (TLS client authentication).
///
/// Whoever prints it sees the names of the files, and no more.
package struct ClientCertificate: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The file of the certificate, in PEM form, those that lead to its root behind it.
    package let certificateFile: String
    /// The file of its private key, in PEM form.
    package let keyFile: String
    let passphrase: String?

    /// - Parameter passphrase: what the key is encrypted with; nil if it is not.
    package init(certificateFile: String, keyFile: String, passphrase: String?) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.passphrase = passphrase
    }

    /// The files.
    package var description: String { "\(certificateFile), \(keyFile)" }
    /// The files.
    package var debugDescription: String { description }
    /// Nothing to look into.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
