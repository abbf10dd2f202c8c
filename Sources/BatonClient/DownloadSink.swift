import ImageModel

/// The destination of a download's bytes. It computes their digest as they arrive.
///
/// One thread uses it at a time: first the task that prepares it, then the transfer loop's thread.
protocol DownloadSink: AnyObject, Sendable {
    /// The target that it was opened for.
    var target: DownloadTarget { get }
    /// The number of the image's bytes that are present.
    var size: Int64 { get }
    /// The offset of the next byte that it needs: `size`, or less while existing bytes are compared again.
    var offset: Int64 { get }

    /// Appends bytes at `offset`.
    func append(_ bytes: UnsafeRawBufferPointer) throws(ClientError)

    /// Starts over at offset 0.
    func restart() throws(ClientError)

    /// Compares the digest after the last byte and makes the result final.
    func complete() throws(ClientError)
}

extension ClientError {
    static func mismatch(_ computed: Digest, of target: DownloadTarget, _ consequence: String) -> ClientError {
        ClientError(
            .corrupt, "What was downloaded is not the image: its digest is \(computed), not \(target.digest). \(consequence)")
    }
}
