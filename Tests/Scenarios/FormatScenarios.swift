import Foundation
import ImageModel
import Integrity
import Testing

/// Images whose bytes are not of their declared format or refer to other files; made by qemu-img where possible.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct FormatScenarios {
    /// A file that qemu-img makes, and its right disk_format; nil where every format is refused.
    struct Made: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let arguments: [String]
        let disk: String?

        init(_ arguments: String, _ disk: String?) {
            testDescription = arguments
            self.arguments = arguments.split(separator: " ").map(String.init)
            self.disk = disk
        }
    }

    static let made = [
        Made("-f raw image 3M", "raw"), Made("-f qcow2 image 3M", "qcow2"),
        Made("-f qcow2 -o compat=0.10 image 3M", "qcow2"),
        Made("-f qcow2 -o lazy_refcounts=on,cluster_size=4096 image 3M", "qcow2"),
        Made("-f qcow2 -o extended_l2=on,compression_type=zstd image 3M", "qcow2"),
        Made(
            "-f qcow2 -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10 --object secret,id=s,data=x image 3M",
            "qcow2"),
        Made("-f vmdk image 3M", "vmdk"), Made("-f vmdk -o subformat=streamOptimized image 3M", "vmdk"),
        Made("-f vpc image 3M", "vhd"), Made("-f vpc -o subformat=fixed image 3M", "vhd"), Made("-f vhdx image 3M", "vhdx"),
        Made("-f vhdx -o subformat=fixed image 3M", "vhdx"), Made("-f vdi image 3M", "vdi"),
        Made("-f vdi -o static=on image 3M", "vdi"), Made("-f qcow image 3M", nil), Made("-f qed image 3M", nil),
        Made("-f vmdk -o subformat=monolithicFlat image 3M", nil),
        Made("-f vmdk -o subformat=twoGbMaxExtentSparse image 3M", nil),
        Made("-f qcow2 -b base -F raw image 3M", nil), Made("-f qcow2 -o compat=0.10 -b base -F raw image", nil),
        Made("-f qcow2 -u -b /etc/shadow -F raw image 3M", nil), Made("-f qcow2 -o data_file=data image 3M", nil),
        Made("-f qcow2 -o data_file=data,data_file_raw=on image 3M", nil), Made("-f vmdk -b vmdk-base -F vmdk image", nil),
        Made("-f qed -b base -F raw image", nil),
    ]

    private func make(_ image: Made, in directory: TestDirectory) async throws -> String {
        try FileManager.default.createDirectory(atPath: directory.file("disk"), withIntermediateDirectories: true)
        try Data(count: 3 << 20).write(to: URL(filePath: directory.file("disk/base")))
        if image.arguments.contains("vmdk-base") {
            try await run("qemu-img", ["create", "-f", "vmdk", "vmdk-base", "3M"], in: directory)
        }
        // qemu-img writes the image's other files into the same folder.
        // To encrypt, qemu-img measures its own CPU time and fails where the system counted none; then it is run again.
        try await run("qemu-img", ["create"] + image.arguments, in: directory, tries: 10)
        return directory.file("disk/image")
    }

    private func run(_ program: String, _ arguments: [String], in directory: TestDirectory, tries: Int = 1) async throws {
        var result = try await BatonCommand.run(arguments, program: "/usr/bin/\(program)", in: directory.file("disk"))
        for _ in 1..<tries where result.errors.contains("Unable to get accurate CPU usage") {
            result = try await BatonCommand.run(arguments, program: "/usr/bin/\(program)", in: directory.file("disk"))
        }
        try #require(result.status == 0, "\(program) \(arguments): \(result.errors)")
    }

    private func server(_ settings: String, in directory: TestDirectory) async throws -> BatonProcess {
        try FileManager.default.createDirectory(atPath: directory.file("uploads"), withIntermediateDirectories: true)
        return try await BatonProcess(
            backends: [
                "disk": #"driver: file, root: "\#(directory.file("disk"))""#,
                "uploads": #"driver: file, root: "\#(directory.file("uploads"))""#,
            ], settings: settings, directory: directory)
    }

    private func image(_ disk: String, container: String = "bare", _ baton: BatonProcess) async throws -> String {
        let made = try await baton.send(
            "POST", "/v2/images", body: #"{"disk_format": "\#(disk)", "container_format": "\#(container)"}"#)
        return try #require(made.json["id"] as? String)
    }

    /// - Returns: the status and the body of the response.
    private func upload(_ path: String, to image: String, _ baton: BatonProcess) async throws -> (status: String, text: String)
    {
        let result = try await BatonCommand.run(
            [
                "-sS", "-m", "60", "-T", path, "-H", "Content-Type: application/octet-stream", "-H", "Expect:", "-w",
                "\n%{http_code}",
                "http://127.0.0.1:\(baton.port)/v2/images/\(image)/file",
            ], program: "/usr/bin/curl")
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
        return (String(lines.last ?? ""), lines.dropLast().joined(separator: "\n"))
    }

    @Test("A file of qemu-img is accepted as its own format and refused as any other", arguments: made)
    func uploads(_ made: Made) async throws {
        let directory = try TestDirectory()
        let path = try await make(made, in: directory)
        let baton = try await server("uploads: { backend: uploads }", in: directory)
        for disk in ["raw", "qcow2", "vmdk", "vhd", "vhdx", "vdi", "iso"] {
            let image = try await image(disk, baton)
            let answer = try await upload(path, to: image, baton)
            let status = try await baton.send("GET", "/v2/images/\(image)").json["status"] as? String
            if disk == made.disk {
                #expect(answer.status == "204" && status == "active", "\(disk): \(answer)")
            } else {
                #expect(answer.status == "415" && status == "queued", "\(disk): \(answer)")
                #expect(answer.text.contains("convert"), "the answer says what to do")
            }
        }
        let kept = try FileManager.default.subpathsOfDirectory(atPath: directory.file("uploads")).filter { $0 != ".uploads" }
        #expect(kept.count == (made.disk == nil ? 0 : 1), "a refused upload leaves no file")
    }

    @Test("A hybrid ISO is accepted as iso and as raw")
    func hybridISO() async throws {
        let directory = try TestDirectory()
        let path = try await make(Made("-f raw boot 1M", "raw"), in: directory)
        try await run(
            "xorriso",
            [
                "-as", "mkisofs", "-quiet", "-o", path, "-V", "TEST", "-partition_offset", "16", "-append_partition", "2",
                "0xef",
                "boot", "-appended_part_as_gpt", directory.file("disk"),
            ], in: directory)
        let baton = try await server("uploads: { backend: uploads }", in: directory)
        for (disk, status) in [("iso", "204"), ("raw", "204"), ("qcow2", "415"), ("vmdk", "415")] {
            #expect(try await upload(path, to: image(disk, baton), baton).status == status, "\(disk)")
        }
    }

    @Test("An image accepts a right upload after a refused one, and any upload with inspect_format off")
    func refusedAndThenAccepted() async throws {
        let directory = try TestDirectory()
        let right = try await make(Made("-f qcow2 image 3M", "qcow2"), in: directory)
        let baton = try await server("uploads: { backend: uploads }", in: directory)
        let first = try await image("qcow2", baton)
        #expect(try await upload(directory.file("disk/base"), to: first, baton).status == "415")
        #expect(try await upload(right, to: first, baton).status == "204")
        // The content of an archive container is not checked against the disk format.
        let archive = try await image("vmdk", container: "ova", baton)
        #expect(try await upload(directory.file("disk/base"), to: archive, baton).status == "204")
        baton.terminate()
        _ = try await baton.exited()
        let lenient = try await server("uploads: { backend: uploads, inspect_format: false }", in: directory)
        #expect(try await upload(right, to: image("raw", lenient), lenient).status == "204")
    }

    private func locate(
        _ path: String, as disk: String, declaringDigests: Bool = true, _ baton: BatonProcess
    ) async throws -> (image: String, location: String) {
        let image = try await image(disk, baton)
        let bytes = try Data(contentsOf: URL(filePath: path))
        let stream = DigestStream(.sha256)
        bytes.withUnsafeBytes { stream.update($0) }
        let digests = declaringDigests ? #", "digests": {"sha256": "\#(stream.finish().hex)"}"# : ""
        let added = try await baton.send(
            "POST", "/baton/v1/images/\(image)/locations",
            body: #"{"url": "file://\#(path)", "size": \#(bytes.count)\#(digests)}"#)
        return (image, try #require(added.json["id"] as? String, "\(added.text)"))
    }

    @Test(
        "A full read quarantines a location whose format is wrong or refers to other files",
        arguments: [
            (made[1], "raw", true), (made[1], "raw", false), (made[0], "qcow2", true), (made[20], "qcow2", true),
            (made[20], "qcow2", false), (made[16], "vmdk", true),
        ])
    func quarantine(_ made: Made, disk: String, declaresDigests: Bool) async throws {
        let directory = try TestDirectory()
        let path = try await make(made, in: directory)
        let baton = try await server("activation: verify\nuploads: { backend: uploads }", in: directory)
        let (image, location) = try await locate(path, as: disk, declaringDigests: declaresDigests, baton)
        try await baton.waitUntil(location, is: "quarantined")
        let history = try await baton.send("GET", "/baton/v1/locations/\(location)/history").text
        #expect(history.contains("convert"), "the history says why: \(history)")
        let answer = try await baton.send("GET", "/v2/images/\(image)/file")
        #expect(answer.status != 200 && answer.status != 206, "nothing of it is served")
    }

    @Test("A location of the right format is activated, and any location is with inspect_format off")
    func activation() async throws {
        let directory = try TestDirectory()
        let path = try await make(Made("-f qcow2 image 3M", "qcow2"), in: directory)
        let baton = try await server("activation: verify", in: directory)
        let wrong = try await locate(path, as: "raw", baton)
        try await baton.waitUntil(wrong.location, is: "quarantined")
        let right = try await locate(path, as: "qcow2", declaringDigests: false, baton)
        try await baton.waitUntil(right.location, is: "active")
        baton.terminate()
        _ = try await baton.exited()
        let lenient = try await server("activation: verify\nuploads: { inspect_format: false }", in: directory)
        #expect(try await lenient.location(wrong.location)["status"] as? String == "quarantined", "until the next read")
        let verified = try await lenient.send("POST", "/baton/v1/locations/\(wrong.location)/verify", body: "{}")
        #expect(verified.status < 300, "\(verified.text)")
        try await lenient.waitUntil(wrong.location, is: "active")
    }
}
