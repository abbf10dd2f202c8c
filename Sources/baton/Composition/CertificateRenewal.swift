internal import ImageAPI
internal import Logging
internal import ServiceLifecycle

/// Lets the server show a new certificate without a restart when its files have changed.
struct CertificateRenewal: Service, CustomStringConvertible {
    /// How often the files are looked at.
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
            logger.notice("The server's certificate was read again.", metadata: ["cause": "changed files"])
        } catch {
            logger.error(
                "The server's new certificate can't be used; the one read before stays.",
                metadata: ["cause": "changed files", "problem": "\(error)"])
        }
    }
}
