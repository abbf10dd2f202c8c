import Foundation
import Glibc
import ImageModel
import Testing

@testable import BatonClient

/// What a path given for a download means.
@Suite struct DownloadOutputTests {
    /// A directory of one test.
    private final class Directory {
        let path = NSTemporaryDirectory() + "baton-output-\(UUID().uuidString)"
        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func make(_ name: String) throws -> String {
            try Data("x".utf8).write(to: URL(filePath: "\(path)/\(name)"))
            return "\(path)/\(name)"
        }
    }

    @Test("A path that is free or names a regular file is written as a file")
    func filesAreFiles() throws {
        let directory = try Directory()
        #expect(try DownloadOutput("\(directory.path)/new", named: "") == .file(path: "\(directory.path)/new"))
        let there = try directory.make("there")
        #expect(try DownloadOutput(there, named: "") == .file(path: there))
    }

    @Test("A symbolic link stands for its target, even one that does not exist yet")
    func linksAreFollowed() throws {
        let directory = try Directory()
        let there = try directory.make("there")
        for (link, target) in [("absolute", there), ("relative", "there"), ("dangling", "missing"), ("second", "dangling")] {
            #expect(symlink(target, "\(directory.path)/\(link)") == 0)
        }
        func path(_ link: String) throws -> String? { try DownloadOutput("\(directory.path)/\(link)", named: "").path }
        #expect(try path("absolute") == there)
        #expect(try path("relative") == there)
        #expect(try path("dangling") == "\(directory.path)/missing")
        #expect(try path("second") == "\(directory.path)/missing")
        #expect(symlink("loop", "\(directory.path)/loop") == 0)
        #expect(throws: ClientError.self) { try path("loop") }
    }

    @Test("Devices and FIFOs are written in place, also through links")
    func streamsAreStreams() throws {
        let directory = try Directory()
        let fifo = "\(directory.path)/fifo"
        #expect(mkfifo(fifo, 0o600) == 0)
        #expect(symlink("/dev/null", "\(directory.path)/null") == 0)
        for path in ["/dev/null", "/dev/full", fifo, "\(directory.path)/null"] {
            #expect(try DownloadOutput(path, named: "").isStream, "\(path)")
        }
    }

    @Test("Every path of an open descriptor means that descriptor")
    func descriptorsHaveManyNames() throws {
        let descriptor = open("/dev/null", O_WRONLY)
        let unwritable = open("/dev/null", O_RDONLY)
        defer { for number in [descriptor, unwritable] { close(number) } }
        #expect(try DownloadOutput("-", named: "") == .descriptor(1))
        for path in ["/dev/stdout", "/proc/self/fd/1", "/dev/fd/1"] {
            #expect(try DownloadOutput(path, named: "") == .descriptor(1), "\(path)")
        }
        #expect(try DownloadOutput("/dev/fd/\(descriptor)", named: "") == .descriptor(descriptor))
        #expect(throws: ClientError.self) { try DownloadOutput("/dev/fd/\(unwritable)", named: "") }
        #expect(throws: ClientError.self) { try DownloadOutput("/dev/fd/999999", named: "") }
    }

    @Test("A socket is refused as output")
    func socketsAreRefused() throws {
        let directory = try Directory()
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = "/tmp/baton-output-\(getpid()).socket"
        defer { unlink(path) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) == 0 }
        }
        #expect(isBound)
        #expect(throws: ClientError.self) { try DownloadOutput(path, named: "") }
        #expect(directory.path != path)
    }

    @Test("In a directory the output is a regular file with the image's name")
    func directoriesTakeTheName() throws {
        let directory = try Directory()
        #expect(DownloadOutput.isDirectory(directory.path) && DownloadOutput.isDirectory("nowhere/"))
        #expect(!DownloadOutput.isDirectory("/dev/null") && !DownloadOutput.isDirectory("\(directory.path)/new"))
        #expect(try DownloadOutput(directory.path, named: "disk") == .file(path: "\(directory.path)/disk"))
        #expect(try DownloadOutput(directory.path + "/", named: "disk") == .file(path: "\(directory.path)/disk"))
        #expect(throws: ClientError.self) { try DownloadOutput("/dev", named: "null") }
        #expect(throws: ClientError.self) { try DownloadOutput("\(directory.path)/missing/", named: "disk") }
        let file = try directory.make("file")
        #expect(throws: ClientError.self) { try DownloadOutput(file + "/", named: "disk") }
    }

    @Test(
        "An image's name selects neither a directory nor a hidden file",
        arguments: [
            ("debian 12.qcow2", "debian 12.qcow2"), ("../../etc/passwd", "_._.._etc_passwd"), ("..", "_."), (".", "_"),
            (".bashrc", "_bashrc"), (".\u{301}bashrc", "_\u{301}bashrc"),
            ("a/b\\c", "a_b\\c"), ("a\u{1B}[2J\n\r\0b", "a_[2J___b"), ("\u{202E}gpj.exe", "_gpj.exe"),
            ("a\u{2028}b\u{85}c", "a_b_c"), ("Größe", "Größe"),
        ])
    func namesAreMadeSafe(name: String, expected: String) {
        #expect(DownloadOutput.fileName(of: name, id: ImageID()) == expected)
    }

    @Test("Without a usable name the file has the image's ID, and a long name is cut between characters")
    func namesHaveAnEnd() {
        let id = ImageID()
        #expect(DownloadOutput.fileName(of: nil, id: id) == id.description)
        #expect(DownloadOutput.fileName(of: "", id: id) == id.description)
        let long = DownloadOutput.fileName(of: String(repeating: "ä", count: 500), id: id)
        #expect(long == String(repeating: "ä", count: 100))
        let heap = DownloadOutput.fileName(of: "e" + String(repeating: "\u{301}", count: 10_000), id: id)
        #expect(heap.utf8.count <= 200)
    }

    @Test("A download that does not fit on the disk is refused before it begins")
    func spaceIsRequired() throws {
        try FreeSpace.require(10, of: 10, on: "here")
        let error = #expect(throws: ClientError.self) { try FreeSpace.require(3 << 30, of: 1 << 30, on: "here") }
        #expect(error?.message.contains("room for 1.0 GiB") == true && error?.message.contains("3.0 GiB are needed") == true)
        #expect(error?.kind == .file)
    }
}

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

    @Test("The error for a path that is not a file names the path", arguments: ["/nowhere/x", "/"])
    func whatIsNoFileIsSaid(path: String) {
        let error = #expect(throws: ClientError.self) { try LocalCopy(path: path) }
        #expect(error?.message.contains(path) == true)
    }
}
