import Foundation
import Glibc

/// A network namespace for the run: its traffic reaches neither the machine's network nor its loopback.
enum OwnNetwork {
    private static let mark = "BATON_CHAOS_NETWORK"

    /// Whether this process runs in one.
    static var isEntered: Bool { ProcessInfo.processInfo.environment[mark] != nil }

    /// Restarts this program in one if that is allowed; otherwise returns.
    static func enter() throws {
        guard !isEntered, geteuid() == 0, (try? execute("/usr/bin/unshare", "--net", "/bin/true")) != nil else {
            return
        }
        setenv(mark, "1", 1)
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let arguments =
            ["unshare", "--net", "/bin/sh", "-c", #"/usr/sbin/ip link set lo up; exec "$0" "$@""#, path]
            + CommandLine.arguments.dropFirst()
        var pointers = arguments.map { strdup($0) } + [nil]
        execv("/usr/bin/unshare", &pointers)
        throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
}
