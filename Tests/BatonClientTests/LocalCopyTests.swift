import BatonClient
import Foundation
import ImageModel
import Testing

/// The size and digests of a local copy of an image.
@Suite struct LocalCopyTests {
    @Test("A local copy is digested, and the progress is reported")
    func progressIsTold() throws {
        let path = NSTemporaryDirectory() + "baton-copy-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(repeating: 7, count: (3 << 20) + 5).write(to: URL(filePath: path))
        var seen: [Int64] = []
        let copy = try LocalCopy(path: path) { progress in
            #expect(progress.total == (3 << 20) + 5)
            seen.append(progress.done)
        }
        #expect(copy.size == (3 << 20) + 5 && copy.digests.all.count == 3)
        #expect(seen == [1 << 20, 2 << 20, 3 << 20, (3 << 20) + 5])
    }

    @Test("The error for a path that is no file names the path", arguments: ["/nowhere/x", "/"])
    func whatIsNoFileIsSaid(path: String) {
        let error = #expect(throws: ClientError.self) { try LocalCopy(path: path) }
        #expect(error?.message.contains(path) == true)
    }
}
