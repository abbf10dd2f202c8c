import Glibc

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
