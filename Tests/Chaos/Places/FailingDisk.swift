import ChaosPlan
import Foundation
import Glibc
import Servers

/// Makes reads of single files fail, or take their time, by a library that is preloaded to Baton (`failing-disk.c`).
struct FailingDisk {
    /// What takes it.
    static let faults: Set<Fault> = [.fileError, .fileSlow]
    /// What one read of a slow disk takes, in milliseconds. libcurl reads 512 KiB at a time, Baton 1 MiB: a disk of 2.5 MiB/s, whose
    /// every MiB is there before the stall timeout, and which another location is many times faster than.
    private static let delay = 200
    /// How long it is slow, in milliseconds: longer than Baton watches a location before it leaves one that is slow, and no more than a
    /// run can wait for where it stays, knowing of nothing faster.
    private static let slowTime = 4000

    private let directory: TestDirectory

    /// Compiles the library: whoever has Swift has its C compiler.
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
                continue  // there is none of that name
            }
        }
        throw NoCompiler()
    }

    private var library: String { directory.file("failing-disk.so") }

    /// What Baton is to be started with.
    var environment: [String: String] { ["LD_PRELOAD": library, "BATON_FAILING_DISK": directory.file("marks")] }

    /// From now on reads of that file fail, or are slow for a while.
    func strike(_ file: String, with fault: Fault) throws {
        let text = fault == .fileError ? "error" : "\(Self.delay) until \(Self.now + Self.slowTime)"
        try FileManager.default.createSymbolicLink(atPath: mark(of: file), withDestinationPath: text)
    }

    /// Milliseconds of the clock that only counts on, which all processes have in common.
    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    /// They are as they were.
    func repair(_ file: String) throws { try FileManager.default.removeItem(atPath: mark(of: file)) }

    private func mark(of file: String) throws -> String {
        var status = stat()
        guard stat(file, &status) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return directory.file("marks/\(status.st_dev)-\(status.st_ino)")
    }
}

/// Nothing compiles the library.
private struct NoCompiler: Error, CustomStringConvertible {
    let description =
        "there is no C compiler to make a disk fail with: put the Swift toolchain's clang on the PATH, or install gcc"
}
