import ImageModel

/// Where the bytes of a download go. It computes their digest on the way.
///
/// Used by one queueKey at a time: the task that prepares it, then the transfer loop's thread.
protocol DownloadSink: AnyObject, Sendable {
    /// What it was opened for.
    var target: DownloadTarget { get }
    /// How many bytes of the image are there.
    var size: Int64 { get }
    /// The offset of the next byte it needs: `size`, or less while bytes that are there already are compared.
    var offset: Int64 { get }

    /// Takes the bytes at `offset`.
    func append(_ bytes: UnsafeRawBufferPointer) throws(ClientError)

    /// The bytes come from offset 0 again.
    func restart() throws(ClientError)

    /// All bytes are there: compares the digest, and makes the result final.
    func complete() throws(ClientError)
}

extension ClientError {
    static func mismatch(_ computed: Digest, of target: DownloadTarget, _ consequence: String) -> ClientError {
        ClientError(
            .corrupt, "What was downloaded is not the image: its digest is \(computed), not \(target.digest). \(consequence)")
    }
}
