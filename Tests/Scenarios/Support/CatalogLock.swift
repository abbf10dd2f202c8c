import Foundation

/// Another process that holds a write lock on a catalog.
final class CatalogLock {
    private let process = Process()
    private let input = Pipe()

    /// Starts the process and waits until it holds the lock.
    init(_ path: String) throws {
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let program = """
            import sqlite3, sys
            catalog = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
            catalog.execute("BEGIN IMMEDIATE")
            print("locked", flush=True)
            sys.stdin.read()
            """
        process.arguments = ["python3", "-c", program, path]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try output.fileHandleForReading.read(until: "the lock on the catalog") { $0.contains("locked") ? () : nil }
    }

    deinit { release() }

    /// Releases the lock; further calls do nothing.
    func release() { try? input.fileHandleForWriting.close() }
}
