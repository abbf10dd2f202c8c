import ChaosPlan
import FaultyOrigin
import Foundation
import Glibc
import Servers

/// A directory whose files break while they are read, and a good origin as second location.
struct FileTarget: Target {
    let good: OriginsTarget
    let directory: TestDirectory
    /// Nil where no library can be preloaded.
    let disk: FailingDisk?

    init(good: OriginsTarget) throws {
        self.good = good
        directory = try TestDirectory()
        disk = try Preloading.isPossible ? FailingDisk() : nil
        for name in ["served", "kept"] {
            try FileManager.default.createDirectory(atPath: directory.file(name), withIntermediateDirectories: true)
        }
    }

    var backends: [String: String] { ["disk": #"driver: file, root: "\#(directory.file("served"))""#] }
    var environment: [String: String] { disk?.environment ?? [:] }

    /// The file has a second name, so that it is the same file again after it was removed.
    func store(_ content: PatternedContent, as name: String, lane: Int) throws -> [String] {
        try content.write(to: directory.file("kept/\(name)"))
        try FileManager.default.linkItem(atPath: directory.file("kept/\(name)"), toPath: directory.file("served/\(name)"))
        return ["file://\(directory.file("served/\(name)"))", good.store(content, as: name, lane: lane)[0]]
    }

    func inject(_ plan: PlannedDownload, _ image: StoredImage) throws {
        let served = directory.file("served/\(image.name)")
        switch plan.fault {
        case .fileTruncated: try check(truncate(served, off_t(plan.injections[0].offset)))
        case .fileGone: try check(unlink(served))
        case .fileReplaced:
            let other = directory.file("other")
            try Data().write(to: URL(filePath: other))
            try check(truncate(other, off_t(plan.imageSize)))
            try check(rename(other, served))
        case .fileError, .fileSlow: try disk?.inject(served, with: plan.fault)
        default: try rewrite(image, from: Self.rot(plan), count: 1) { ~$0 }
        }
    }

    func repair(_ plan: PlannedDownload, _ image: StoredImage) throws {
        switch plan.fault {
        case .fileTruncated:
            let cut = plan.injections[0].offset
            try rewrite(image, from: cut, count: plan.imageSize - cut)
        case .fileGone, .fileReplaced:
            let served = directory.file("served/\(image.name)")
            unlink(served)
            try check(link(directory.file("kept/\(image.name)"), served))
        case .fileError, .fileSlow: try disk?.repair(directory.file("served/\(image.name)"))
        default: try rewrite(image, from: Self.rot(plan), count: 1)
        }
    }

    /// The byte that rots: ahead of what may have been read when the fault is injected.
    static func rot(_ plan: PlannedDownload) -> Int64 { plan.injections[0].offset + (36 << 20) }

    /// Writes a part of the content again and keeps the file's times, as a disk that loses bits would.
    private func rewrite(
        _ image: StoredImage, from first: Int64, count: Int64, _ change: (UInt8) -> UInt8 = { $0 }
    ) throws {
        let file = open(directory.file("kept/\(image.name)"), O_RDWR | O_CLOEXEC)
        try check(file)
        defer { close(file) }
        var status = stat()
        try check(fstat(file, &status))
        var done: Int64 = 0
        while done < count {
            let part = first + done..<first + min(count, done + 1 << 20)
            let bytes = image.content.bytes(in: part).map(change)
            let written = bytes.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, off_t(part.lowerBound)) }
            try check(Int32(clamping: written))
            done += Int64(written)
        }
        try check(futimens(file, [status.st_atim, status.st_mtim]))
    }

    private func check(_ result: Int32) throws {
        if result < 0 { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }
}
