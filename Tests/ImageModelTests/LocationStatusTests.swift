import Foundation
import ImageModel
import Testing

@Suite struct LocationStatusTests {
    /// The table, written out again: the effect of each event on a location of each status. Any other event is illegal.
    static let expected: [LocationStatus: [LocationEvent: LocationStatus]] = [
        .pending: [.probed: .active, .verify: .verifying, .delete: .pendingDelete],
        .verifying: [
            .matched: .active, .mismatched: .quarantined, .unreachable: .pending, .disable: .disabled, .delete: .pendingDelete,
        ],
        .active: [
            .verify: .active, .suspect: .verifying, .quarantine: .quarantined, .disable: .disabled, .delete: .pendingDelete,
        ],
        .disabled: [.enable: .active, .delete: .pendingDelete],
        .quarantined: [.verify: .verifying, .disable: .disabled, .delete: .pendingDelete],
        .pendingDelete: [.restore: .active, .expire: .deleted],
        .deleted: [:],
    ]

    /// A location of that status: verifying came from pending, disabled and pending_delete from active.
    static func state(_ status: LocationStatus) -> LocationState {
        switch status {
        case .verifying: LocationState(.verifying, before: [.pending])
        case .disabled, .pendingDelete: LocationState(status, before: [.active])
        default: LocationState(status)
        }
    }

    @Test(
        "Every event follows the table or is refused with the legal events named", arguments: LocationStatus.allCases,
        LocationEvent.allCases)
    func everyEventFollowsTheTable(status: LocationStatus, event: LocationEvent) throws {
        var state = Self.state(status)
        let before = state
        if let next = Self.expected[status]?[event] {
            try state.apply(event)
            #expect(state.status == next)
        } else {
            let error = #expect(throws: IllegalLocationEvent.self) { try state.apply(event) }
            #expect(state == before)
            #expect(Set(error?.legal ?? []) == Set((Self.expected[status] ?? [:]).keys))
            for legal in (Self.expected[status] ?? [:]).keys { #expect("\(error!)".contains(legal.rawValue)) }
        }
    }

    @Test("A location that was taken out twice comes back step by step")
    func aLocationTakenOutTwiceComesBackStepByStep() throws {
        var state = LocationState(.active)
        try state.apply(.disable)
        try state.apply(.delete)
        try state.apply(.restore)
        #expect(state.status == .disabled)
        try state.apply(.enable)
        #expect(state.status == .active)
    }

    @Test("An interrupted read leaves a quarantined location quarantined")
    func anInterruptedReadLeavesALocationQuarantined() throws {
        var state = LocationState(.quarantined)
        try state.apply(.verify)
        try state.apply(.unreachable)
        #expect(state.status == .quarantined)
        try state.apply(.verify)
        try state.apply(.matched)
        #expect(state.status == .active)
    }

    @Test("Only active locations serve")
    func onlyActiveLocationsServe() {
        #expect(LocationStatus.allCases.filter(\.serves) == [.active])
    }

    @Test("The page about the location status shows the diagram of the table")
    func thePageShowsTheDiagramOfTheTable() throws {
        let text = try Self.document("location-status.md")
        #expect(text.contains("```mermaid\n\(LocationTransition.diagram)\n```"), "expected:\n\(LocationTransition.diagram)")
    }

    @Test("A history has the events that change the status under their own names, and all names are in one spelling")
    func theHistoryHasEveryEvent() {
        for event in LocationEvent.allCases { #expect(LocationHistoryEvent(event).rawValue == event.rawValue) }
        for event in LocationHistoryEvent.allCases { #expect(event.rawValue.wholeMatch(of: /[a-z]+(_[a-z]+)*/) != nil) }
    }

    @Test("The page about the location status and the API document list every event of a history")
    func theDocumentsListEveryEvent() throws {
        let events = Set(LocationHistoryEvent.allCases.map(\.rawValue))
        // The tables that are headed `event`.
        let tables = try Self.document("location-status.md").split(separator: "\n\n").filter { $0.hasPrefix("| event |") }
        let listed = tables.flatMap { $0.matches(of: /\n\| `([a-z_]+)` \|/) }.map { String($0.1) }
        #expect(Set(listed) == events && listed.count == events.count)
        let schema = try #require(
            try Self.document("openapi.yaml").firstMatch(
                of: /\n    HistoryEvent:\n(?:      .*\n)*?      enum:\n        \[([a-z_,\s]+)\]/))
        #expect(Set(schema.1.split { ", \n".contains($0) }.map(String.init)) == events)
    }

    private static func document(_ name: String) throws -> String {
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/\(name)")
        return try String(contentsOf: page, encoding: .utf8)
    }
}
