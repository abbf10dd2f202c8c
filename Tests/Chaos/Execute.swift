import Foundation
import Servers

/// A system program failed.
struct Failed: Error {
    let what: String
    let status: Int32
}

/// Runs a program to its end on this thread.
func execute(_ command: String...) throws {
    let process = Process()
    process.executableURL = URL(filePath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let status = process.exitCode()
    guard status == 0 else { throw Failed(what: command.joined(separator: " "), status: status) }
}
