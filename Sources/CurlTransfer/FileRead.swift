import CCurl
import Glibc
import NIOCore
import Synchronization

/// One bounded read of a file, passed from a loop to a worker and back.
///
/// `@unchecked Sendable`: the mutable state belongs to the loop until `submit`, then to the one worker that runs it; the locks of
/// the workers' queue and of the mailbox order the hand-overs. The rest is immutable or atomic.
final class FileRead: @unchecked Sendable {
    /// The result of a complete read.
    struct Content: Sendable {
        let facts: FileFacts
        let slabs: [ByteBuffer]
    }

    typealias Outcome = Result<Content, TransferError>

    let id: TransferID
    let request: TransferRequest
    let source: FileSource
    let loop: TransferLoop
    private var slabs: [ByteBuffer]
    private var filled = 0
    private var received: Int64 = 0
    private let cancelled = Atomic(false)

    init(id: TransferID, request: TransferRequest, source: FileSource, loop: TransferLoop, slabs: [ByteBuffer]) {
        self.id = id
        self.request = request
        self.source = source
        self.loop = loop
        self.slabs = slabs
    }

    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    func cancel() { cancelled.store(true, ordering: .relaxed) }

    /// Reads the range. Bytes are delivered only if the file's facts are the same before and after the read. A file that is
    /// modified meanwhile therefore yields no byte.
    /// - Parameter idle: the handle to read with; created if nil.
    func perform(with idle: inout EasyHandle?) -> Outcome {
        do throws(TransferError) {
            let file = try source.open()
            let before = try file.facts()
            guard let range = request.range else { return .success(Content(facts: before, slabs: [])) }
            if range.lowerBound < before.size {
                let handle = if let idle { idle } else { try EasyHandle() }
                idle = handle
                // This name pins the inode: libcurl reads the examined file even if the path refers to another one now.
                try handle.prepare(request, url: "file:///proc/self/fd/\(file.descriptor)")
                try handle.setCallbacks(
                    context: Unmanaged.passUnretained(self).toOpaque(),  // `self` lives beyond the perform below
                    body: { bytes, size, count, context in
                        guard let context, let bytes else { return 0 }
                        return Unmanaged<FileRead>.fromOpaque(context)._withUnsafeGuaranteedRef {
                            $0.append(UnsafeRawBufferPointer(start: bytes, count: size * count))
                        }
                    }, header: nil)
                if let error = TransferError(curl_easy_perform(handle.pointer)) { throw error }
            }
            guard try file.facts() == before else {
                throw TransferError(.fileChanged, message: "the file was modified while it was read")
            }
            let expected = max(0, min(range.upperBound, before.size - 1) - range.lowerBound + 1)
            guard received == expected else {
                // The file was not modified. libcurl takes a disk error for the end of the file, and some disk errors are
                // transient.
                throw file.readError(at: range.lowerBound + received)
                    ?? TransferError(
                        .file(errno: EIO), message: "the file yielded \(received) bytes instead of \(expected)")
            }
            return .success(Content(facts: before, slabs: slabs.filter { $0.readableBytes > 0 }))
        } catch {
            return .failure(error)
        }
    }

    private func append(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard !isCancelled else { return -1 }
        var rest = bytes[...]
        while !rest.isEmpty {
            guard filled < slabs.count else { return -1 }
            let room = min(slabs[filled].writableBytes, rest.count)
            slabs[filled].writeBytes(UnsafeRawBufferPointer(rebasing: rest.prefix(room)))
            rest = rest.dropFirst(room)
            if slabs[filled].writableBytes == 0 { filled += 1 }
        }
        received += Int64(bytes.count)
        return bytes.count
    }
}
