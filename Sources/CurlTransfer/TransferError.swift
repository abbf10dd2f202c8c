/// Why a transfer did not end well. Who is to attribution, and what to do, is the driver's to say.
package struct TransferError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of trouble, as far as they are told apart.
    package enum Kind: Sendable, Equatable {
        /// The server's name has no address.
        case resolve
        /// No connection came about, for another reason than time.
        case connect
        /// No connection came about in time.
        case connectTimeout
        /// The server's name leads to an address that may not be connected to.
        case refusedAddress
        /// The answer did not come in the time that was given for it.
        case noAnswer
        /// The TLS handshake failed, or something that it needs.
        case tls
        /// Nobody who is trusted vouches for the server's certificate, or it is for another name.
        case untrusted
        /// The connection ended or broke before the response was whole.
        case connectionLost
        /// What came is no HTTP.
        case protocolViolation
        /// The sink turned the head down.
        case rejected
        /// A file could not be opened or read; the number is the `errno`.
        case file(errno: Int32)
        /// The path leads to something other than a regular file.
        case notRegularFile
        /// The file was changed or replaced while it was read.
        case fileChanged
        /// We ran out of memory, descriptors or the like.
        case local
        /// Any other code of libcurl.
        case other
    }

    /// What kind of trouble.
    package let kind: Kind
    /// What libcurl or the system said, without URLs and secrets.
    package let message: String

    /// An error of a kind, with the words of its source.
    package init(_ kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }

    /// The message.
    package var description: String { message }
}
