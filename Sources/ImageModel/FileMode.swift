/// The upper bound of the permissions of files that Baton creates; the process's umask may remove more.
package struct FileMode: Sendable, Hashable {
    /// The bits as in `chmod`: read and write for the owner, others as configured, execute for none.
    package let bits: UInt32

    /// Read and write for the owner, read for the group, none for others.
    package static let standard = FileMode(bits: 0o640)

    /// Read and write for the owner and the group, none for others. For socket files, which need write permission to connect.
    package static let shared = FileMode(bits: 0o660)

    private init(bits: UInt32) { self.bits = bits }

    /// Parses three or four octal digits, such as `0640`. Nil for anything else, and for modes that deny the owner read or
    /// write, that let others write, or that include execute.
    package init?(_ text: String) {
        guard (3...4).contains(text.utf8.count), text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
            let bits = UInt32(text, radix: 8), bits & 0o600 == 0o600, bits & ~0o664 == 0
        else { return nil }
        self.bits = bits
    }

    /// The bits for a directory: every class that may read it may also enter it.
    package var directoryBits: UInt32 { bits | (bits & 0o444) >> 2 }

    /// The umask that leaves no file or directory of the process more than this mode.
    package var umask: UInt32 { 0o777 & ~directoryBits }
}

extension FileMode: CustomStringConvertible {
    package var description: String {
        let digits = String(bits, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
