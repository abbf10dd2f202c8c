import BackendKit
import CurlTransfer
import Glibc
import Testing

@Suite struct AttemptFailureTests {
    @Test(
        "Each transfer error has a reason and a failure class",
        arguments: [
            (.resolve, .resolve, .backend), (.connect, .connect, .backend), (.connectTimeout, .connect, .backend),
            (.refusedAddress, .refusedAddress, .backend), (.noAnswer, .stall, .backend), (.tls, .tls, .backend),
            (.untrusted, .tls, .backend), (.connectionLost, .reset, .backend),
            (.protocolViolation, .protocolViolation, .backend), (.rejected, .protocolViolation, .location),
            (.local, .exhausted, .local), (.notRegularFile, .notAFile, .location), (.fileChanged, .validatorChanged, .location),
        ] as [(TransferError.Kind, AttemptFailure.Reason, FailureClass)])
    func transferErrors(
        kind: TransferError.Kind, reason: AttemptFailure.Reason, failureClass: FailureClass
    ) {
        let failure = AttemptFailure.classify(TransferError(kind, message: "played"))
        #expect(failure.reason == reason && failure.failureClass == failureClass && failure.detail == "played")
    }

    @Test(
        "Each file error has a reason and a failure class",
        arguments: [
            (ENOENT, .missing, .location), (ENOTDIR, .missing, .location), (EXDEV, .outsideRoot, .location),
            (ELOOP, .outsideRoot, .location), (EACCES, .unreadable, .location), (EPERM, .unreadable, .location),
            (EISDIR, .notAFile, .location), (ENXIO, .notAFile, .location), (EIO, .diskError, .backend),
            (EMFILE, .exhausted, .local), (ENFILE, .exhausted, .local), (ENOMEM, .exhausted, .local),
            (ESTALE, .unreadable, .backend),
        ] as [(Int32, AttemptFailure.Reason, FailureClass)])
    func fileErrors(number: Int32, reason: AttemptFailure.Reason, failureClass: FailureClass) {
        let failure = AttemptFailure.classify(TransferError(.file(errno: number), message: "played"))
        #expect(failure.reason == reason && failure.failureClass == failureClass)
    }
}
