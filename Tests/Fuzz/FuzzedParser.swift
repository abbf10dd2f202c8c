import FoundationEssentials
import ImageModel

@testable import BackendKit
@testable import CurlTransfer
@testable import FormatInspection
@testable import GlanceAPI
@testable import HTTPBackend
@testable import HTTPServing
@testable import OpenStackSwiftBackend
@testable import S3Backend

/// A parser of untrusted text, and what must hold for every input. A violation traps.
enum FuzzedParser: String, CaseIterable {
    case accept
    case catalogue
    case contentRange = "content-range"
    case format
    case head
    case json
    case locationURL = "location-url"
    case query
    case range
    case redirect
    case xml

    /// Reads the bytes and checks what came out.
    func run(_ bytes: UnsafeRawBufferPointer) {
        let text = String(decoding: bytes, as: UTF8.self)
        switch self {
        case .accept: Self.accept(text)
        case .catalogue: Self.catalogue(bytes)
        case .contentRange: Self.contentRange(text)
        case .format: Self.format(bytes)
        case .head: Self.head(bytes)
        case .json: Self.json(bytes)
        case .locationURL: Self.locationURL(text)
        case .query: Self.query(text)
        case .range: Self.range(text)
        case .redirect: Self.redirect(text)
        case .xml: Self.xml(bytes)
        }
    }

    private static func accept(_ text: String) {
        let header = AcceptHeader(text)
        for type in ["application/metalink4+xml", "application/octet-stream", "text/plain"] {
            precondition((0...1000).contains(header.weight(of: type)), "a weight that is none")
        }
        // As long as a name can be: the name of an image is untrusted text, too.
        guard let name = FileName.safe(text) else { return }
        precondition(FileName.safe(name) == name && (1...200).contains(name.utf8.count), "a name that is none")
        precondition(!name.contains("/") && ![".", ".."].contains(name), "a name that leads elsewhere")
    }

    private static func catalogue(_ bytes: UnsafeRawBufferPointer) {
        guard let services = try? JSONDecoder().decode([CatalogEntry.Service].self, from: Data(bytes)) else { return }
        guard let url = try? CatalogEntry().url(in: services) else { return }
        precondition(url.scheme == "http" || url.scheme == "https", "an account that is no server's")
    }

    private static func redirect(_ text: String) {
        guard let current = try? LocationURL("http://store:8080/a/b"), let list = try? LocationURL("http://store:8080/a") else {
            preconditionFailure("these are URLs")
        }
        if let target = RedirectRule.resolve(text, against: current) {
            let plain = target.text.prefix { $0 != "?" }
            precondition((try? LocationURL(String(plain))) == target.url, "another place on the wire than on the list")
            precondition(target.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "a URL that ends its line")
        }
        let rule = RedirectRule(allowed: [list])
        let head = ResponseHead(status: 307, fields: [("location", text)])
        if let target = rule.target(of: head, from: current, hops: 0) {
            precondition(target.url.path(below: list) != nil, "a place outside of the list")
        }
    }

    private static func contentRange(_ text: String) {
        guard let range = ContentRange(text) else { return }
        precondition(range.first >= 0 && range.first <= range.last, "a range outside of its whole")
        precondition(range.total.map { range.last < $0 } ?? true, "a range outside of its whole")
        let again = ContentRange("bytes \(range.first)-\(range.last)/\(range.total.map { "\($0)" } ?? "*")")
        precondition(again == range, "another range when it is written again")
    }

    /// The first byte says what the rest is declared as, and how it is cut.
    private static func format(_ bytes: UnsafeRawBufferPointer) {
        guard let first = bytes.first else { return }
        let declared = Format(
            disk: DiskFormat.allCases[Int(first) % DiskFormat.allCases.count], container: first < 200 ? .bare : .ova)
        let image = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        var whole = FormatInspector(declared: declared)
        whole.update(image)
        var pieces = FormatInspector(declared: declared)
        let piece = max(1 + Int(first) * 7, image.count / 16)
        for start in stride(from: 0, to: image.count, by: piece) {
            pieces.update(UnsafeRawBufferPointer(rebasing: image[start..<min(start + piece, image.count)]))
            guard let resumed = FormatInspector(snapshot: pieces.snapshot, declared: declared) else {
                preconditionFailure("an inspection that was written down can't be read")
            }
            precondition(resumed == pieces, "another inspection when it was written down")
        }
        precondition(pieces == whole && pieces.finish() == whole.finish(), "another outcome for other pieces")
        if case .mismatch(let disk, let found) = whole.finish() {
            precondition(disk == declared.disk && found?.rawValue != disk.rawValue, "a mismatch with itself")
        }
        if declared.container == .bare, declared.disk == .vmdk, whole.finish() == nil { vmdk(image) }
        if let read = FormatInspector(snapshot: Array(image), declared: declared) {
            precondition(read.snapshot.elementsEqual(image), "other bytes when it is written again")
            _ = read.finish()
        }
        vhdx(image)
    }

    /// No descriptor that is accepted contains what readers look for; they compare bytes.
    private static func vmdk(_ image: UnsafeRawBufferPointer) {
        let sectors = UInt64(littleEndian: image.loadUnaligned(fromByteOffset: 36, as: UInt64.self))
        let descriptor = image.dropFirst(512).prefix(Int(clamping: sectors) * 512).prefix { $0 != 0 }
        let lower = descriptor.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
        precondition(lower.firstRange(of: Array("parentfilenamehint".utf8)) == nil, "a VMDK with a parent")
    }

    /// A VHDX's tables lie too far inside the file for an input: the input is used as each of them.
    private static func vhdx(_ bytes: UnsafeRawBufferPointer) {
        func padded(_ region: Region) -> Region {
            let kept = Array(bytes.prefix(region.length))
            return Region(
                at: region.offset, length: region.length, bytes: kept + [UInt8](repeating: 0, count: region.length - kept.count)
            )
        }
        let tables = padded(VHDX.tables)
        let metadata = padded(VHDX.region(after: [tables]) ?? Region(at: 1 << 20, length: 64 << 10))
        precondition(metadata.offset >= 1 << 20, "metadata inside of the header")
        guard let item = VHDX.region(after: [tables, metadata]) else {
            precondition(VHDX.hazard([tables, metadata]) != nil, "a VHDX without parameters")
            return
        }
        precondition(item.offset >= metadata.offset + 65_536, "an item inside of its table")
        _ = VHDX.hazard([tables, metadata, padded(item)])
    }

    private static func head(_ bytes: UnsafeRawBufferPointer) {
        var parser = HeadParser()
        var heads = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            guard let head = parser.take(UnsafeRawBufferPointer(rebasing: line)) else { continue }
            heads += 1
            precondition(head.status >= 200, "a head of an interim answer")
            let read = ReadRequest(path: "x", range: ByteRange(first: 1, last: 9))
            if case .success(let object) = RangedAnswer(head).object(for: read) {
                precondition(head.status == 206 || head.status == 200, "bytes behind another status")
                precondition((object.total ?? 10) >= 0, "a negative size")
            }
        }
        precondition(heads <= 1, "two heads of one answer")
    }

    private static func json(_ bytes: UnsafeRawBufferPointer) {
        func rewritten(_ text: some Sequence<UInt8>) -> [UInt8]? { try? Array(JSONValue(reading: text).written()) }
        guard let first = rewritten(bytes) else { return }
        // A large number may lose its exponent the first time. From then on the text stays as it is.
        guard let second = rewritten(first) else { preconditionFailure("JSON that we wrote can't be read") }
        precondition(rewritten(second) == second, "other JSON when it is written again")
    }

    private static func locationURL(_ text: String) {
        if let url = try? LocationURL(text) {
            precondition((try? LocationURL(url.description)) == url, "another URL when it is written again")
            precondition(!url.segments.contains { $0.isEmpty || $0 == "." || $0 == ".." }, "a segment that leads elsewhere")
            precondition(url.path(below: url) == nil, "a place below itself")
        }
        if let url = try? KeyURL(text) {
            precondition((try? KeyURL(url.description)) == url, "another key when it is written again")
            precondition(!url.key.isEmpty && !url.key.utf8.contains(0), "a key that is none")
            let segments = LocationURL.encode(key: url.key).utf8.split(separator: UInt8(ascii: "/"))
            let leadsElsewhere = segments.contains { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }
            precondition(!leadsElsewhere, "a key that leads elsewhere on the wire")
        }
    }

    private static func query(_ text: String) {
        let items = QueryItems(text)
        let again = QueryItems(items.text)
        precondition(items.items.elementsEqual(again.items, by: ==), "other items when the query is written again")
    }

    private static func range(_ text: String) {
        for size in [1, 100, Int64.max] {
            for header in [RangeHeader(text, size: size), RangeHeader(contentRange: text, size: size)] {
                guard case .range(let range) = header else { continue }
                precondition(range.first >= 0 && range.first <= range.last && range.last < size, "a range beyond the end")
            }
        }
    }

    private static func xml(_ bytes: UnsafeRawBufferPointer) {
        guard let document = S3ErrorDocument(bytes) else { return }
        let isPrintable = !document.summary.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
        precondition(isPrintable && document.summary.count <= 300, "a summary that is no line of a log")
    }
}
