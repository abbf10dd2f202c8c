/// A fault at one byte of the image, at the location that is serving that byte.
package struct Injection: Sendable, Equatable {
    /// What the location does, or what happens to it.
    package enum Act: Sendable, Equatable {
        /// A RST.
        case reset
        /// A clean close of the connection.
        case end
        /// Silence while the connection stays open.
        case silence
        /// This byte is wrong, and all others are right.
        case corrupt
        /// A silence shorter than the stall timeout.
        case pause
        /// The request that has this byte in its range is answered with this status.
        case refuse(status: Int)
        /// The request that has this byte in its range is answered with success, but not with what it asked for.
        case answer(WrongAnswer)
        /// The target injects the fault when the client has received that many bytes.
        case external
    }

    /// Wrong answers with a success status.
    package enum WrongAnswer: String, CaseIterable, Sendable {
        case everything, anotherRange, anotherSize, anotherObject, compressed
    }

    /// In the image.
    package let offset: Int64
    package let act: Act
}
