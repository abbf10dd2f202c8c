/// Names a running transfer to its loop. Never reused within a process.
package struct TransferID: Sendable, Hashable {
    let number: UInt64
}
