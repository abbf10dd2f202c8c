import HTTPServing
import Logging
import ServiceLifecycle

/// Reloads the server's certificate without a restart when its files change.
struct CertificateRenewal: Service, CustomStringConvertible {
    /// The interval between checks of the files.
    private static let interval: Duration = .seconds(1)

    let certificate: ServerCertificate
    let logger: Logger

    var description: String { "renewal of the certificate" }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                renew()
            }
        }
    }

    private func renew() {
        do {
            guard try certificate.reloadIfChanged() else { return }
            logger.notice(
                "certificate.reloaded: The server's certificate was read again.", metadata: ["cause": "changed files"])
        } catch {
            logger.error(
                "certificate.reload_failed: The server's new certificate cannot be used. The previous one stays in use.",
                metadata: ["cause": "changed files", "problem": "\(error)"])
        }
    }
}
