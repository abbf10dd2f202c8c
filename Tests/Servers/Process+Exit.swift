package import Foundation
internal import Glibc

extension Process {
    /// Waits for the end of the process, on a thread that may block.
    ///
    /// Foundation hears of an end through a socket that another child, started in the same moment, can hold open; then its own
    /// wait lasts as long as that child. The kernel is asked instead, and leaves the process for Foundation to collect.
    /// - Returns: its exit code, or the signal that ended it.
    package func exitCode() -> Int32 {
        var information = siginfo_t()
        while waitid(P_PID, id_t(processIdentifier), &information, WEXITED | WNOWAIT) != 0 {
            guard errno == EINTR else {
                // Foundation was faster: it knows.
                waitUntilExit()
                return terminationStatus
            }
        }
        return information._sifields._sigchld.si_status
    }
}
