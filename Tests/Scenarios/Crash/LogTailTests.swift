import Foundation
import Testing

/// The part of a log behind its last commit, with synthetic logs of 16-byte pages.
@Suite struct LogTailTests {
    private static let salts: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

    private static let head =
        [UInt8](repeating: 0, count: 8) + [0, 0, 0, 16, 0, 0, 0, 0] + salts + [UInt8](repeating: 0, count: 8)

    private static func frame(_ fill: UInt8, isCommit: Bool = false, salts: [UInt8] = salts) -> [UInt8] {
        [0, 0, 0, 1, 0, 0, 0, isCommit ? 9 : 0] + salts + [UInt8](repeating: 0, count: 8)
            + [UInt8](repeating: fill, count: 16)
    }

    private func tail(_ frames: [[UInt8]]) throws -> LogTail {
        let directory = try TestDirectory()
        try Data(Self.head + frames.joined()).write(to: URL(filePath: directory.file("wal")))
        return LogTail(directory.file("wal"))
    }

    @Test("The pages behind the last commit are the tail")
    func thePagesBehindTheLastCommitAreTheTail() throws {
        let tail = try tail([Self.frame(1), Self.frame(2, isCommit: true), Self.frame(3), Self.frame(4)])
        #expect(Array(tail.pages) == [UInt8](repeating: 3, count: 16) + [UInt8](repeating: 4, count: 16))
        #expect(tail.holdsSome(of: [3, 3, 4, 4], length: 4) && tail.holdsSome(of: [4, 4], length: 2))
        #expect(!tail.holdsSome(of: [2, 2], length: 2) && !tail.holdsSome(of: [], length: 2))
    }

    @Test("The last frame may be cut")
    func theLastFrameMayBeCut() throws {
        let tail = try tail([Self.frame(2, isCommit: true), Array(Self.frame(3).dropLast(10))])
        #expect(Array(tail.pages) == [UInt8](repeating: 3, count: 6))
    }

    @Test("A log that ends with a commit, or a missing log, has no tail")
    func aLogThatEndsWithACommitHasNoTail() throws {
        #expect(try tail([Self.frame(3), Self.frame(2, isCommit: true)]).pages.isEmpty)
        #expect(try tail([]).pages.isEmpty)
        #expect(LogTail("/nowhere").pages.isEmpty)
    }

    @Test("Frames of an earlier use of the file are not in the tail")
    func framesOfAnEarlierUseAreNotInTheTail() throws {
        let other = [UInt8](repeating: 9, count: 8)
        #expect(try tail([Self.frame(2, isCommit: true), Self.frame(3, salts: other)]).pages.isEmpty)
    }
}
