/// The permissions of the files that Baton makes: at most these, since the process's umask may take more away.
package struct FileMode: Sendable, Hashable {
    /// The bits as in `chmod`: read and write for the owner, others as configured, nothing to execute.
    package let bits: UInt32

    /// Read and write for the owner, read for the group, nothing for others.
    package static let standard = FileMode(bits: 0o640)

    /// Read and write for the owner and the group, nothing for others: for socket files, which one writes to connect.
    package static let shared = FileMode(bits: 0o660)

    private init(bits: UInt32) { self.bits = bits }

    /// Reads three or four octal digits, such as `0640`. Nil for anything else, for what its owner could not read and write, for what
    /// everybody could write, and for what could be executed.
    package init?(_ text: String) {
        guard (3...4).contains(text.utf8.count), text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
            let bits = UInt32(text, radix: 8), bits & 0o600 == 0o600, bits & ~0o664 == 0
        else { return nil }
        self.bits = bits
    }

    /// The same for a directory: who may read it may go through it.
    package var directoryBits: UInt32 { bits | (bits & 0o444) >> 2 }

    /// What no file or directory of a process with this mode has: its umask.
    package var umask: UInt32 { 0o777 & ~directoryBits }
}

extension FileMode: CustomStringConvertible {
    /// Four octal digits.
    package var description: String {
        let digits = String(bits, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
