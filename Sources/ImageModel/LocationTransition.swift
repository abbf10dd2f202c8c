/// The effect of an event on a status.
package enum LocationTransition: Sendable, Hashable {
    /// Changes to that status and forgets the earlier ones.
    case to(LocationStatus)
    /// Changes to that status and keeps the current one to return to.
    case suspending(LocationStatus)
    /// Replaces the current status by that one and keeps the earlier ones.
    case replacing(LocationStatus)
    /// Returns to the status before.
    case back
    /// Returns to the status before if that one serves, else changes to `active`.
    case verified
    /// Changes nothing: the read continues while the location serves.
    case stay

    /// The complete table of legal transitions. A missing pair is illegal.
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
