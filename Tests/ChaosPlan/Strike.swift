/// One blow: at this byte of the image, whichever location is serving it.
package struct Strike: Sendable, Equatable {
    /// What the location does, or what is done to it.
    package enum Act: Sendable, Equatable {
        /// A RST.
        case reset
        /// A clean end of the connection.
        case end
        /// Silence, the connection open.
        case silence
        /// This byte comes wrong, and all others right.
        case corrupt
        /// A silence shorter than the stall timeout.
        case pause
        /// The request that has this byte in its range is answered with this status.
        case refuse(status: Int)
        /// The request that has this byte in its range is answered with success, and not with what it asked for.
        case answer(WrongAnswer)
        /// The fault's own deed, done when the client has so many bytes of its answer.
        case deed
    }

    /// Answers that say success.
    package enum WrongAnswer: String, CaseIterable, Sendable {
        case everything, anotherRange, anotherSize, anotherObject, compressed
    }

    /// In the image.
    package let offset: Int64
    package let act: Act
}
