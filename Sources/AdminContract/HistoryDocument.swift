package import FoundationEssentials
package import ImageModel

/// One change of a location.
package struct HistoryDocument: ListedDocument {
    package static let listName = "history"

    package let time: Timestamp
    /// A `LocationHistoryEvent`.
    package let event: String
    /// The `LocationStatus` before the event.
    package let from: String
    /// The `LocationStatus` after the event.
    package let to: String
    /// The user or the component that caused it.
    package let actor: String
    package let reason: String

    package init(
        time: Date, event: LocationHistoryEvent, from: LocationStatus, to: LocationStatus, actor: String, reason: String
    ) {
        self.time = Timestamp(time)
        self.event = event.rawValue
        self.from = from.rawValue
        self.to = to.rawValue
        self.actor = actor
        self.reason = reason
    }

    package var textSize: Int {
        [event, from, to, actor, reason].reduce(100) { $0 + $1.utf8.count }
    }
}
