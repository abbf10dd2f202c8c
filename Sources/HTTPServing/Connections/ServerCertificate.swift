import FoundationEssentials
import NIOSSL
import Synchronization

/// What the server shows to clients that speak TLS: a certificate and its key, from two files in PEM form. New connections get what
/// was read last; those that are open keep what they began with.
package final class ServerCertificate: Sendable {
    /// What was in the two files at one time.
    private struct Pair: Equatable {
        let certificate: [UInt8]
        let key: [UInt8]
    }

    private struct State {
        var certificateFile: String
        var keyFile: String
        var context: NIOSSLContext
        var loaded: Pair
        /// What the last look found and was not taken yet.
        var seen: Pair?
    }

    private let state: Mutex<State>

    /// Reads the files.
    /// - Parameters:
    ///   - certificateFile: the certificate, those that lead to its root behind it.
    ///   - keyFile: its private key, not encrypted.
    /// - Throws: what is wrong with them.
    package init(certificateFile: String, keyFile: String) throws(ServerCertificateError) {
        let pair = try Self.read(certificateFile, keyFile)
        state = Mutex(
            State(
                certificateFile: certificateFile, keyFile: keyFile,
                context: try Self.context(of: pair, certificateFile, keyFile), loaded: pair))
    }

    /// What a new connection is to be encrypted with.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Shows what another one shows, and looks at its files from now on.
    package func replace(with other: ServerCertificate) {
        let new = other.state.withLock { $0 }
        state.withLock { $0 = new }
    }

    /// Reads the files again if they hold something else than before, and the same as at the last look: a program that writes two
    /// files is in between for a moment.
    /// - Returns: whether there was something new.
    /// - Throws: what is wrong with them, once for each change; then all stays as it was.
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
            // A reload may have named other files meanwhile.
            guard state.certificateFile == certificateFile, state.keyFile == keyFile else { return }
            // Also what is wrong counts as looked at.
            (state.loaded, state.seen) = (pair, nil)
            if case .success(let context) = context { state.context = context }
        }
        _ = try context.get()
    }

    /// Of TLS 1.2 only what has forward secrecy and is authenticated encryption: no key exchange by static RSA, no CBC. The suites of
    /// TLS 1.3 all are, and are not configured.
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

/// Why a server's certificate can't be used.
package enum ServerCertificateError: Error, Sendable, Equatable, CustomStringConvertible {
    case unreadable(String)
    case noCertificate(String)
    case noKey(String)
    case mismatch(String, String)

    /// One sentence for a person.
    package var description: String {
        switch self {
        case .unreadable(let file): "\(file) can't be read; does it exist, and may this user read it?"
        case .noCertificate(let file): "\(file) holds no certificate in PEM form (server.certificate_file)."
        case .noKey(let file): "\(file) holds no private key in PEM form, or an encrypted one (server.key_file)."
        case .mismatch(let certificate, let key): "The key in \(key) is not that of the certificate in \(certificate)."
        }
    }
}
