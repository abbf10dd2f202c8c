import Access
import BatonConfig
import CurlTransfer
import Keystone
import Logging

extension BatonConfiguration.Auth {
    /// The authenticator of the configured mode.
    /// - Parameter loop: the loop for requests to Keystone.
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

    /// The networks whose callers are trusted in addition to their token's roles.
    var trusted: TrustedNetworks { TrustedNetworks(networks: trustedNetworks, proxies: trustedProxies) }

    /// Checks the tokens file, if the mode needs one.
    func check() throws(TokenFileError) {
        if mode == .tokens, let tokensFile { _ = try TokenFile.read(tokensFile) }
    }
}

extension BatonConfiguration.Keystone {
    /// The settings as `KeystoneService` needs them.
    fileprivate var settings: KeystoneSettings {
        KeystoneSettings(
            url: url, credentials: credentials.identityCredentials, timeout: timeout, authorities: authorities,
            trustedRole: trustedRole)
    }
}

extension BatonConfiguration.Keystone.Credentials {
    /// The credentials as `KeystoneSettings` needs them.
    var identityCredentials: KeystoneSettings.Credentials {
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
