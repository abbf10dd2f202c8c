internal import ImageAPI
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// Lets the server show a new certificate without a restart: on SIGHUP, and when the files have changed.
struct CertificateRenewal: Service, CustomStringConvertible {
    /// How often the files are looked at.
    private static let interval: Duration = .seconds(1)

    let certificate: ServerCertificate
    let logger: Logger

    var description: String { "renewal of the certificate" }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sighup) {
                        renew("SIGHUP") { () throws(ServerCertificateError) in
                            try certificate.reload()
                            return true
                        }
                    }
                }
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: Self.interval)
                        renew("changed files", certificate.reloadIfChanged)
                    }
                }
            }
        }
    }

    private func renew(_ cause: String, _ reload: () throws(ServerCertificateError) -> Bool) {
        do {
            guard try reload() else { return }
            logger.notice("The server's certificate was read again.", metadata: ["cause": "\(cause)"])
        } catch {
            logger.error(
                "The server's new certificate can't be used; the one read before stays.",
                metadata: ["cause": "\(cause)", "problem": "\(error)"])
        }
    }
}
