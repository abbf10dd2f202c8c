/// What happens to a download between its first byte and its last.
package enum Fault: String, CaseIterable, Sendable, Codable, CodingKeyRepresentable {
    case reset
    case earlyEnd = "early end"
    case stall
    case corruptByte = "corrupt byte"
    case pause
    case twoResets = "two resets"
    case twoStalls = "two stalls"
    case resetThenRefusal = "reset, then a refusal"
    case resetThenWrongAnswer = "reset, then a wrong answer"
    case nginxKilled = "nginx: kill -9"
    case nginxStopped = "nginx: SIGSTOP"
    case linkDown = "link taken down"
    case linkPause = "relay: pause"
    case linkSlow = "relay: rate limit"
    case linkSilence = "relay: silence"
    case fileTruncated = "file: truncated"
    case fileGone = "file: gone"
    case fileReplaced = "file: replaced"
    case fileRotten = "file: rotten"
    case fileError = "file: disk error"
    case fileSlow = "file: slow disk"
    case swiftKilled = "Swift: kill -9"
    case swiftStopped = "Swift: SIGSTOP"
    case clockJump = "clock jump"
    case catalogLocked = "catalog locked"

    /// How the fault shows at the server that it hits, which determines how long the client may wait.
    package enum Sign: Sendable {
        /// The response ends, or the next request is refused: that is noticed at once.
        case end
        /// The server falls silent: noticing that takes the stall timeout.
        case silence
        /// Nothing that has to be noticed, or that a client could rely on noticing.
        case none
    }

    /// Where it is injected.
    package var target: TargetKind {
        switch self {
        case .reset, .earlyEnd, .stall, .corruptByte, .pause, .twoResets, .twoStalls, .resetThenRefusal, .resetThenWrongAnswer:
            .scripted
        case .nginxKilled, .nginxStopped: .nginx
        case .linkDown: .network
        case .linkPause, .linkSlow, .linkSilence: .link
        case .fileTruncated, .fileGone, .fileReplaced, .fileRotten, .fileError, .fileSlow: .file
        case .swiftKilled, .swiftStopped: .swift
        case .clockJump, .catalogLocked: .machine
        }
    }

    /// How it shows at the server.
    package var sign: Sign {
        switch self {
        case .reset, .earlyEnd, .twoResets, .resetThenRefusal, .resetThenWrongAnswer, .nginxKilled, .fileTruncated, .fileGone,
            .fileReplaced, .fileError, .swiftKilled:
            .end
        case .stall, .twoStalls, .nginxStopped, .linkDown, .linkSilence, .swiftStopped: .silence
        case .corruptByte, .pause, .linkPause, .linkSlow, .fileRotten, .fileSlow, .clockJump, .catalogLocked: .none
        }
    }

    /// How often it is chosen among the faults of its target.
    var weight: Int {
        switch self {
        case .reset: 24
        case .earlyEnd: 12
        case .stall: 14
        case .corruptByte: 12
        case .pause: 4
        case .twoResets: 10
        case .twoStalls: 4
        case .resetThenRefusal: 8
        case .resetThenWrongAnswer: 12
        case .fileTruncated, .fileGone, .fileReplaced, .fileError: 10
        case .fileSlow: 4  // takes seconds each time
        case .fileRotten: 1  // more of them would be mass rot, for which Baton suspects a backend as a whole
        default: 10
        }
    }
}

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
