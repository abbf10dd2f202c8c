/// Names a running transfer to its loop. Never reused within a process.
public struct TransferID: Sendable, Hashable {
    let number: UInt64
}
