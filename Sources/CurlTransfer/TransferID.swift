/// Identifies a running transfer. Never reused within a process.
package struct TransferID: Sendable, Hashable {
    let number: UInt64
}
