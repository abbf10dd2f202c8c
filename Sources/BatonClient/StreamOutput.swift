import Glibc
import ImageModel
import Integrity

/// A download that is written in place: to standard output, a FIFO or a device. Written bytes can't be taken back. If a server
/// restarts the image from its beginning, the bytes already written are compared by their digest and not written twice.
///
/// `@unchecked Sendable`: one thread uses it at a time: the download's task, and during a fetch the transfer loop's thread.
final class StreamOutput: DownloadSink, @unchecked Sendable {
    let target: DownloadTarget
    private let descriptor: Int32
    private let isOwned: Bool
    private let name: String
    private var digest: DigestStream
    private(set) var size: Int64 = 0
    /// The bytes written before the server restarted.
    private var written: (digest: Digest, size: Int64)?
    private var repeated: DigestStream
    private(set) var offset: Int64 = 0

    init(_ output: DownloadOutput, for target: DownloadTarget) throws(ClientError) {
        self.target = target
        digest = DigestStream(target.digest.algorithm)
        repeated = DigestStream(target.digest.algorithm)
        switch output {
        case .descriptor(let number):
            (descriptor, isOwned) = (number, false)
            name = number == STDOUT_FILENO ? "standard output" : "descriptor \(number)"
        case .device(let path), .file(let path):
            descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
            (isOwned, name) = (true, path)
            guard descriptor >= 0 else { throw .file("\(path) can't be opened") }
        }
        try checkSpace()
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// Checks the free space of a disk, and of the file system of a file that a shell opened. Other outputs have no known size.
    private func checkSpace() throws(ClientError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFREG: try FreeSpace.require(target.size, inFileSystemOf: descriptor, of: name)
        case S_IFBLK:
            let end = lseek(descriptor, 0, SEEK_END)
            guard lseek(descriptor, 0, SEEK_SET) == 0, end >= 0 else { return }
            try FreeSpace.require(target.size, of: Int64(end), on: name)
        default: break
        }
    }

    func restart() throws(ClientError) {
        if offset == size { written = (digest.finish(), size) }
        digest.start()
        repeated.start()
        offset = 0
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(ClientError) {
        let known = Int(min(size - offset, Int64(bytes.count)))
        if known > 0 {
            let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(known))
            digest.update(part)
            repeated.update(part)
            offset += Int64(known)
            if offset == size, let written, repeated.finish() != written.digest {
                throw ClientError(
                    .corrupt, "The first \(size) bytes written to \(name) do not belong to the image: discard them.")
            }
        }
        let fresh = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(known))
        if let error = DescriptorIO.write(fresh, to: descriptor) {
            guard error != EPIPE else { throw ClientError(.readerGone, "The reader of \(name) has closed it.") }
            throw ClientError(.file, "\(name) can't be written: \(String(cString: strerror(error))).")
        }
        digest.update(fresh)
        offset += Int64(fresh.count)
        size += Int64(fresh.count)
    }

    func complete() throws(ClientError) {
        let computed = digest.finish()
        guard size == target.size, computed == target.digest else {
            throw .mismatch(computed, of: target, "It was already written to \(name): discard it.")
        }
        // Disks report late errors here. Pipes and terminals don't support fsync.
        if fsync(descriptor) != 0, errno != EINVAL, errno != ENOTSUP, errno != EROFS {
            throw .file("\(name) can't be flushed to disk")
        }
    }
}

/// Reads and writes on descriptors, with short reads and writes continued.
package enum DescriptorIO {
    /// Writes all bytes; waits while a non-blocking descriptor is full.
    /// - Returns: nil, or the errno value.
    package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0, errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, -1)
            } else if count == 0 || errno != EINTR {
                return count == 0 ? EIO : errno
            }
        }
        return nil
    }

    /// Reads from the descriptor's current offset to the end, one mebibyte at a time.
    static func readToEnd(
        _ descriptor: Int32, named path: String, _ take: (UnsafeRawBufferPointer) -> Void
    ) throws(ClientError) {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file("\(path) can't be read") }
            if count == 0 { return }
            buffer.withUnsafeBytes { take(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
        }
    }
}
