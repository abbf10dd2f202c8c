import FoundationEssentials
import NIOSSL
import Synchronization

/// The certificate and private key of a TLS server, read from two PEM files. New connections use the pair that was read last;
/// open connections keep theirs.
package final class ServerCertificate: Sendable {
    /// The contents of both files at one time.
    private struct Pair: Equatable {
        let certificate: [UInt8]
        let key: [UInt8]
    }

    private struct State {
        var certificateFile: String
        var keyFile: String
        var context: NIOSSLContext
        var loaded: Pair
        /// The changed contents that the last check found and did not use yet.
        var seen: Pair?
    }

    private let state: Mutex<State>

    /// Reads the files.
    /// - Parameters:
    ///   - certificateFile: the path of the certificate, followed by its intermediate certificates.
    ///   - keyFile: the path of the private key, which must not be encrypted.
    /// - Throws: `ServerCertificateError` if a file is unreadable or the pair is unusable.
    package init(certificateFile: String, keyFile: String) throws(ServerCertificateError) {
        let pair = try Self.read(certificateFile, keyFile)
        state = Mutex(
            State(
                certificateFile: certificateFile, keyFile: keyFile,
                context: try Self.context(of: pair, certificateFile, keyFile), loaded: pair))
    }

    /// The TLS context for new connections.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Takes over the pair and the file paths of another certificate.
    package func replace(with other: ServerCertificate) {
        let new = other.state.withLock { $0 }
        state.withLock { $0 = new }
    }

    /// Reads the files again. A change takes effect when two checks in a row find the same contents, because a program that
    /// writes two files leaves them inconsistent for a moment.
    /// - Returns: whether a new pair took effect.
    /// - Throws: `ServerCertificateError`, once per change; the old pair stays in use.
    package func reloadIfChanged() throws(ServerCertificateError) -> Bool {
        let (certificateFile, keyFile) = state.withLock { ($0.certificateFile, $0.keyFile) }
        guard let pair = try? Self.read(certificateFile, keyFile) else { return false }
        let isSettled = state.withLock { state in
            guard pair != state.loaded else {
                state.seen = nil
                return false
            }
            defer { state.seen = pair }
            return pair == state.seen
        }
        guard isSettled else { return false }
        try take(pair, certificateFile, keyFile)
        return true
    }

    private func take(_ pair: Pair, _ certificateFile: String, _ keyFile: String) throws(ServerCertificateError) {
        let context: Result<NIOSSLContext, ServerCertificateError>
        do throws(ServerCertificateError) {
            context = .success(try Self.context(of: pair, certificateFile, keyFile))
        } catch {
            context = .failure(error)
        }
        state.withLock { state in
            // A configuration reload may have named other files meanwhile.
            guard state.certificateFile == certificateFile, state.keyFile == keyFile else { return }
            // Unusable contents count as loaded too, so that their error is reported once.
            (state.loaded, state.seen) = (pair, nil)
            if case .success(let context) = context { state.context = context }
        }
        _ = try context.get()
    }

    /// For TLS 1.2, only suites with forward secrecy and authenticated encryption: no static RSA key exchange and no CBC. Every
    /// suite of TLS 1.3 qualifies and is not configurable.
    private static let cipherSuites: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    private static func read(_ certificateFile: String, _ keyFile: String) throws(ServerCertificateError) -> Pair {
        func bytes(_ path: String) throws(ServerCertificateError) -> [UInt8] {
            guard let data = try? Data(contentsOf: URL(filePath: path)) else { throw .unreadable(path) }
            return Array(data)
        }
        return Pair(certificate: try bytes(certificateFile), key: try bytes(keyFile))
    }

    private static func context(
        of pair: Pair, _ certificateFile: String, _ keyFile: String
    ) throws(ServerCertificateError) -> NIOSSLContext {
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(pair.certificate), !chain.isEmpty else {
            throw .noCertificate(certificateFile)
        }
        guard let key = try? NIOSSLPrivateKey(bytes: pair.key, format: .pem) else { throw .noKey(keyFile) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuiteValues = cipherSuites
        configuration.applicationProtocols = ["http/1.1"]
        guard let context = try? NIOSSLContext(configuration: configuration) else {
            throw .mismatch(certificateFile, keyFile)
        }
        return context
    }
}

/// Why a server certificate is unusable. The values are file paths.
package enum ServerCertificateError: Error, Sendable, Equatable, CustomStringConvertible {
    case unreadable(String)
    case noCertificate(String)
    case noKey(String)
    case mismatch(String, String)

    /// The message for the operator: one sentence.
    package var description: String {
        switch self {
        case .unreadable(let file): "\(file) can't be read; does it exist, and may this user read it?"
        case .noCertificate(let file): "\(file) holds no certificate in PEM form (server.certificate_file)."
        case .noKey(let file): "\(file) holds no private key in PEM form, or an encrypted one (server.key_file)."
        case .mismatch(let certificate, let key): "The private key in \(key) does not match the certificate in \(certificate)."
        }
    }
}
