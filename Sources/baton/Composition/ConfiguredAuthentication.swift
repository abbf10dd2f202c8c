import BatonConfig
import CurlTransfer
import Identity
import Logging

extension BatonConfiguration.Auth {
    /// Who finds out who a caller is.
    /// - Parameter loop: where Keystone is asked.
    func authenticator(loop: TransferLoop, logger: Logger) throws(TokenFileError) -> any Authenticator {
        switch mode {
        case .none: return AdmitsEverybody()
        case .tokens: return try TokenFile(path: tokensFile ?? "", logger: logger)
        case .keystone:
            let service = KeystoneService(
                keystone.settings, transport: LoopTransport(loop: loop, timeout: keystone.timeout), logger: logger)
            return KeystoneAuthenticator(service, cache: keystone.cache, guesses: keystone.guesses)
        }
    }

    /// From where callers are trusted beside what their token says.
    var trusted: TrustedNetworks { TrustedNetworks(networks: trustedNetworks, proxies: trustedProxies) }

    /// Looks at what the configuration names, without starting anything.
    func check() throws(TokenFileError) {
        if mode == .tokens, let tokensFile { _ = try TokenFile.read(tokensFile) }
    }
}

extension BatonConfiguration.Keystone {
    /// The same in the terms of those who ask.
    fileprivate var settings: KeystoneSettings {
        KeystoneSettings(
            url: url, credentials: credentials.forIdentity, timeout: timeout, authorities: authorities,
            trustedRole: trustedRole)
    }
}

extension BatonConfiguration.Keystone.Credentials {
    /// The same in the terms of those who ask.
    var forIdentity: KeystoneSettings.Credentials {
        switch self {
        case .callersOwn: .callersOwn
        case .password(let user, let userDomain, let password, let project, let projectDomain):
            .password(
                user: user, userDomain: userDomain, password: password.value, project: project,
                projectDomain: projectDomain)
        case .applicationCredential(let id, let secret): .applicationCredential(id: id, secret: secret.value)
        }
    }
}
