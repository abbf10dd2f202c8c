/// Where an event leads from a status.
package enum LocationTransition: Sendable, Hashable {
    /// To that status; what was before is forgotten.
    case to(LocationStatus)
    /// To that status, keeping the present one to come back to.
    case suspending(LocationStatus)
    /// To that status in place of the present one; what was before stays.
    case replacing(LocationStatus)
    /// Back to the status before.
    case back
    /// Back to the status before if that serves, else to `active`.
    case verified
    /// No change: the read goes on while the location serves.
    case stay

    /// The whole table, the one place that says what is legal. A pair that is missing here is illegal.
    package static let table: [LocationStatus: [LocationEvent: LocationTransition]] = [
        .pending: [.probed: .to(.active), .verify: .suspending(.verifying), .delete: .suspending(.pendingDelete)],
        .verifying: [
            .matched: .verified, .mismatched: .to(.quarantined), .unreachable: .back,
            .disable: .replacing(.disabled), .delete: .replacing(.pendingDelete),
        ],
        .active: [
            .verify: .stay, .suspect: .suspending(.verifying), .quarantine: .to(.quarantined),
            .disable: .suspending(.disabled), .delete: .suspending(.pendingDelete),
        ],
        .disabled: [.enable: .back, .delete: .suspending(.pendingDelete)],
        .quarantined: [
            .verify: .suspending(.verifying), .disable: .suspending(.disabled), .delete: .suspending(.pendingDelete),
        ],
        .pendingDelete: [.restore: .back, .expire: .to(.deleted)],
        .deleted: [:],
    ]
}
