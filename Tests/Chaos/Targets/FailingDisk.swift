import ChaosPlan
import Foundation
import Glibc
import Servers

/// Makes reads of single files fail or slow, by a library that is preloaded into Baton (`failing-disk.c`).
struct FailingDisk {
    /// The faults that need it.
    static let faults: Set<Fault> = [.fileError, .fileSlow]
    /// How long one read of a slow disk takes, in milliseconds. libcurl reads 512 KiB at a time, Baton 1 MiB: a disk of 2.5 MiB/s. Each
    /// MiB arrives before the stall timeout, and another location is many times faster.
    private static let delay = 200
    /// How long it is slow, in milliseconds: longer than Baton watches a location before it leaves a slow one, and short enough for a
    /// run to wait where Baton stays because it knows of no faster location.
    private static let slowTime = 4000

    private let directory: TestDirectory

    /// Compiles the library: a Swift toolchain includes a C compiler.
    init() throws {
        directory = try TestDirectory()
        try FileManager.default.createDirectory(atPath: directory.file("marks"), withIntermediateDirectories: true)
        try Self.compile(to: library)
    }

    private static func compile(to library: String) throws {
        let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "failing-disk.c").path
        for compiler in ["clang", "cc"] {
            do {
                return try execute("/usr/bin/env", compiler, "-shared", "-fPIC", "-O2", "-o", library, source)
            } catch let error as Failed where error.status == 127 {
                continue  // no such compiler
            }
        }
        throw NoCompiler()
    }

    private var library: String { directory.file("failing-disk.so") }

    /// The environment that Baton is started with.
    var environment: [String: String] { ["LD_PRELOAD": library, "BATON_FAILING_DISK": directory.file("marks")] }

    /// From now on reads of that file fail, or are slow for some time.
    func inject(_ file: String, with fault: Fault) throws {
        let text = fault == .fileError ? "error" : "\(Self.delay) until \(Self.now + Self.slowTime)"
        try FileManager.default.createSymbolicLink(atPath: mark(of: file), withDestinationPath: text)
    }

    /// Milliseconds of the monotonic clock, which all processes share.
    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    /// Reads of that file are normal again.
    func repair(_ file: String) throws { try FileManager.default.removeItem(atPath: mark(of: file)) }

    private func mark(of file: String) throws -> String {
        var status = stat()
        guard stat(file, &status) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return directory.file("marks/\(status.st_dev)-\(status.st_ino)")
    }
}

/// No compiler for the library was found.
private struct NoCompiler: Error, CustomStringConvertible {
    let description =
        "no C compiler was found for the disk faults: put the Swift toolchain's clang on the PATH, or install gcc"
}
