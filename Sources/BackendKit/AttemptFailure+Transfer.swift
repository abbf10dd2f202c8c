package import CurlTransfer
import Glibc

extension AttemptFailure {
    /// The driver-independent classification of a transfer error.
    package static func classify(_ error: TransferError) -> AttemptFailure {
        switch error.kind {
        case .resolve: AttemptFailure(.resolve, .backend, detail: error.message)
        case .connect, .connectTimeout: AttemptFailure(.connect, .backend, detail: error.message)
        // A host name resolves alike for all locations of a backend, and the operator has to fix it.
        case .refusedAddress: AttemptFailure(.refusedAddress, .backend, detail: error.message)
        case .noAnswer: AttemptFailure(.stall, .backend, detail: error.message)
        case .tls, .untrusted: AttemptFailure(.tls, .backend, detail: error.message)
        case .connectionLost: AttemptFailure(.reset, .backend, detail: error.message)
        case .protocolViolation, .other: AttemptFailure(.protocolViolation, .backend, detail: error.message)
        case .rejected: AttemptFailure(.protocolViolation, .location, detail: error.message)
        case .local: AttemptFailure(.exhausted, .local, detail: error.message)
        case .notRegularFile: AttemptFailure(.notAFile, .location, detail: error.message)
        case .fileChanged: AttemptFailure(.validatorChanged, .location, detail: error.message)
        case .file(let number): classify(errno: number, detail: error.message)
        }
    }

    private static func classify(errno number: Int32, detail: String) -> AttemptFailure {
        switch number {
        case ENOENT, ENOTDIR: AttemptFailure(.missing, .location, detail: detail)
        case EXDEV, ELOOP: AttemptFailure(.outsideRoot, .location, detail: detail)
        case EACCES, EPERM: AttemptFailure(.unreadable, .location, detail: detail)
        case EISDIR, ENXIO: AttemptFailure(.notAFile, .location, detail: detail)
        case EIO: AttemptFailure(.diskError, .backend, detail: detail)
        case EMFILE, ENFILE, ENOMEM: AttemptFailure(.exhausted, .local, detail: detail)
        default: AttemptFailure(.unreadable, .backend, detail: detail)
        }
    }
}
