import Glibc

/// The check that a download fits, before it begins.
enum FreeSpace {
    /// Throws if the space is too small.
    /// - Parameters:
    ///   - needed: bytes still to be written.
    ///   - available: bytes of free space.
    ///   - place: the destination, for the error.
    static func require(_ needed: Int64, of available: Int64, on place: String) throws(ClientError) {
        guard needed > available else { return }
        throw ClientError(
            .file,
            "\(place) has room for \(ProgressLine.bytes(available)), and \(ProgressLine.bytes(needed)) are to come: "
                + "make room, or give another place with --output.")
    }

    /// Checks the file system of an open file. A file system that does not state its size passes.
    static func require(_ needed: Int64, inFileSystemOf descriptor: Int32, of path: String) throws(ClientError) {
        var status = statvfs()
        guard fstatvfs(descriptor, &status) == 0, status.f_blocks > 0 else { return }
        let blocks = geteuid() == 0 ? status.f_bfree : status.f_bavail
        let (bytes, overflows) = UInt64(blocks).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        try require(needed, of: overflows ? .max : Int64(clamping: bytes), on: "The file system of \(path)")
    }
}
