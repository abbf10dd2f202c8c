import FaultyOrigin
import Foundation
import Glibc
import Testing

/// The outputs of `baton get`: files, directories, links, pipes and devices.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct OutputScenarios {
    static let content = PatternedContent(size: 3_000_013, seed: 321)

    /// A server with one named image.
    private struct Setting {
        let origin: FaultyOrigin
        let baton: BatonProcess
        let image: String

        init(named name: String = "disk", of content: PatternedContent = OutputScenarios.content) async throws {
            origin = try FaultyOrigin(content)
            baton = try await BatonProcess(origins: ["origin": origin])
            let body = try JSONSerialization.data(
                withJSONObject: ["name": name, "disk_format": "raw", "container_format": "bare"])
            let response = try await baton.send("POST", "/v2/images", body: String(decoding: body, as: UTF8.self))
            image = try #require(response.json["id"] as? String, "\(response.text)")
        }

        /// Adds the location with a declared size and digest, without reading it.
        func add(size: Int64, sha256: String) async throws {
            let response = try await baton.send(
                "POST", "/baton/v1/images/\(image)/locations",
                body: #"{"url": "\#(origin.url())", "size": \#(size), "digests": {"sha256": "\#(sha256)"}}"#)
            guard response.status == 201 else { throw Unexpected(response: response) }
        }

        func file(_ name: String) -> String { baton.directory.file(name) }

        func get(_ arguments: String...) async throws -> BatonCommand.Result {
            try await BatonCommand.run(
                ["get", image, "--endpoint", "http://127.0.0.1:\(baton.port)"] + arguments, in: baton.directory.path)
        }

        /// Runs a shell script in which `get` downloads the image; the script adds the output.
        func shell(_ script: String) async throws -> BatonCommand.Result {
            try await BatonCommand.run(
                [
                    "-c", "set -o pipefail; get() { \"$0\" get \"$IMAGE\" --endpoint \"$URL\" \"$@\"; }; \(script)",
                    BatonCommand.path,
                ], program: "/bin/bash", environment: ["IMAGE": image, "URL": "http://127.0.0.1:\(baton.port)"],
                in: baton.directory.path)
        }

        func isExact(_ name: String) throws -> Bool {
            [UInt8](try Data(contentsOf: URL(filePath: file(name))))
                == OutputScenarios.content.bytes(
                    in: 0..<OutputScenarios.content.size)
        }
    }

    private static func setting(named name: String = "disk") async throws -> Setting {
        let setting = try await Setting(named: name)
        try await setting.add(size: content.size, sha256: content.sha256)
        return setting
    }

    @Test(
        "Standard output, by each of its names, gets the exact image and nothing else",
        arguments: [
            "-", "/dev/stdout", "/proc/self/fd/1", "/dev/fd/1",
        ])
    func standardOutputIsWritten(name: String) async throws {
        let setting = try await Self.setting()
        defer { setting.origin.stop() }
        for script in [
            "get -o \(name) | sha256sum", "get -o \(name) > file; sha256sum < file", "get -o \(name) --json | sha256sum",
        ] {
            let result = try await setting.shell(script)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.hasPrefix(Self.content.sha256), "\(script): \(result.output)")
            #expect(result.errors.contains("verified") || result.errors.contains("\"digest\""), "\(result.errors)")
        }
        let both = try await setting.shell("get -o \(name) 2>&1 | sha256sum")
        #expect(both.output.hasPrefix(Self.content.sha256), "standard error is the same pipe, and Baton writes nothing to it")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: setting.baton.directory.path).allSatisfy {
                !$0.hasSuffix(".part")
            })
    }

    @Test("get writes to a FIFO or a device and keeps it and the links to it")
    func otherStreamsAreWritten() async throws {
        let setting = try await Self.setting()
        defer { setting.origin.stop() }
        let result = try await setting.shell(
            "mkfifo fifo && ln -s fifo link && ln -s /dev/null null && { sha256sum < fifo & } && get -o link && wait && get -o null "
                + "&& test -p fifo && test -L link && test -L null && test -c /dev/null")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains(Self.content.sha256))
    }

    @Test("A full device is an error, and so is a result that cannot be printed")
    func aFullDeviceIsAnError() async throws {
        let setting = try await Self.setting()
        defer { setting.origin.stop() }
        let device = try await setting.get("-o", "/dev/full")
        #expect(device.status == 1 && device.errors.contains("/dev/full can't be written: No space left"), "\(device.errors)")
        for command in [
            "get -o file", "\"$0\" image list --endpoint \"$URL\"", "\"$0\" --help",
            "\"$0\" image list --json --endpoint \"$URL\"",
        ] {
            let result = try await setting.shell("\(command) > /dev/full")
            #expect(
                result.status == 1 && result.errors.contains("standard output can't be written: No space left"),
                "\(command): \(result)")
        }
    }

    @Test("A reader that closes the pipe ends the command without an error message")
    func aReaderThatClosesThePipeEndsIt() async throws {
        let setting = try await Self.setting()
        defer { setting.origin.stop() }
        // The process that starts the tests may ignore the signal, and that is inherited.
        let result = try await setting.shell(
            "env --default-signal=PIPE \"$0\" get \"$IMAGE\" --endpoint \"$URL\" -o - | head -c 10 > /dev/null; echo ${PIPESTATUS[0]}"
        )
        #expect(result.output.contains("141"), "\(result)")
        #expect(result.errors.isEmpty, "\(result.errors)")
    }

    @Test("A directory gets the image under the image's name", arguments: ["images", "images/", "link", "."])
    func aDirectoryGetsTheImage(output: String) async throws {
        let setting = try await Self.setting(named: "../.pro\u{1B}file")
        defer { setting.origin.stop() }
        try FileManager.default.createDirectory(atPath: setting.file("images"), withIntermediateDirectories: true)
        #expect(symlink("images", setting.file("link")) == 0)
        let result = try await setting.get("-o", output)
        #expect(result.status == 0, "\(result.errors)")
        let directory = output == "." ? "" : "images/"
        #expect(try setting.isExact(directory + "_._.pro_file"))
        #expect(result.output.contains("_._.pro_file: "))
    }

    @Test("A missing directory is reported before any byte is fetched")
    func aMissingDirectoryIsReported() async throws {
        let setting = try await Self.setting()
        defer { setting.origin.stop() }
        let result = try await setting.get("-o", "missing/")
        #expect(
            result.status == 1 && result.errors.contains("the directory missing/ can't be used: No such file"),
            "\(result.errors)")
        #expect(setting.origin.record.downloads.isEmpty)
    }

    @Test("The target of a symbolic link is replaced and the link stays, even if it was dangling")
    func linksStay() async throws {
        let setting = try await Self.setting()
        defer { setting.origin.stop() }
        let file = FileManager.default
        try file.createDirectory(atPath: setting.file("elsewhere"), withIntermediateDirectories: true)
        try Data("old".utf8).write(to: URL(filePath: setting.file("elsewhere/old")))
        #expect(chmod(setting.file("elsewhere/old"), 0o640) == 0)
        #expect(symlink("elsewhere/old", setting.file("link")) == 0)
        #expect(symlink(setting.file("elsewhere/new"), setting.file("dangling")) == 0)
        for (link, target) in [("link", "elsewhere/old"), ("dangling", "elsewhere/new")] {
            let result = try await setting.get("-o", link)
            #expect(result.status == 0, "\(result.errors)")
            #expect(try setting.isExact(target))
            #expect((try? file.destinationOfSymbolicLink(atPath: setting.file(link)))?.hasSuffix(target) == true)
        }
        var status = stat()
        #expect(stat(setting.file("elsewhere/old"), &status) == 0 && status.st_mode & 0o777 == 0o640, "its permissions stay")
    }

    @Test("A file that already is the image is not fetched again, and one that differs is")
    func anIdenticalFileIsKept() async throws {
        let setting = try await Self.setting()
        defer { setting.origin.stop() }
        #expect(try await setting.get("-o", "out").status == 0)
        let before = setting.origin.record.downloads.count
        var status = stat()
        #expect(stat(setting.file("out"), &status) == 0)
        let inode = status.st_ino
        let again = try await setting.get("-o", "out")
        #expect(again.status == 0 && again.output.contains("verified, already present"), "\(again)")
        #expect(setting.origin.record.downloads.count == before)
        #expect(stat(setting.file("out"), &status) == 0 && status.st_ino == inode)
        let report = try await setting.get("-o", "out", "--json")
        #expect(report.output.contains(#""unchanged" : true"#), "\(report.output)")

        var bytes = Self.content.bytes(in: 0..<Self.content.size)
        bytes[bytes.count - 1] ^= 1
        try Data(bytes).write(to: URL(filePath: setting.file("out")))
        #expect(try await setting.get("-o", "out").status == 0)
        #expect(try setting.isExact("out") && setting.origin.record.downloads.count > before)
    }

    @Test("An image that is larger than the free space is refused before the download begins")
    func freeSpaceIsChecked() async throws {
        let content = PatternedContent(size: 1 << 58, seed: 1)
        let setting = try await Setting(of: content)
        defer { setting.origin.stop() }
        try await setting.add(size: content.size, sha256: String(repeating: "0", count: 64))
        let result = try await setting.get("-o", "out", "--tries", "1")
        #expect(result.status == 1, "\(result)")
        #expect(result.errors.contains("has room for") && result.errors.contains("are needed"), "\(result.errors)")
        let left = try FileManager.default.contentsOfDirectory(atPath: setting.baton.directory.path)
        #expect(left.allSatisfy { !$0.hasSuffix(".part") && $0 != "out" }, "\(left)")
    }

    @Test("--direct to a stream is refused, since its bytes are verified only at the end")
    func directNeedsAFile() async throws {
        let setting = try await Self.setting()
        defer { setting.origin.stop() }
        let result = try await setting.get("-o", "/dev/stdout", "--direct")
        #expect(result.status == 64 && result.output.isEmpty && result.errors.contains("--direct needs a file"), "\(result)")
    }
}
