import ImageModel

extension CatalogAccount.Entry {
    /// Replays its history with the table of statuses and reports deviations.
    func flawsOfHistory() -> [Contradiction] {
        func wrong(_ text: String) -> [Contradiction] { [Contradiction(kind: .wrong, about: url, text: text)] }
        guard let first = history.first, first.event == "registered", first.from == "pending", first.to == "pending" else {
            return wrong("its history does not begin with its registration")
        }
        var state = LocationState()
        for (number, line) in history.enumerated().dropFirst() {
            guard line.from == state.status.rawValue else {
                return wrong("line \(number) begins at \(line.from), and the line before ends at \(state.status.rawValue)")
            }
            if let event = LocationEvent(rawValue: line.event) {
                do { try state.apply(event) } catch { return wrong("line \(number): \(error)") }
            }
            guard line.to == state.status.rawValue else {
                return wrong("line \(number), \(line.event), ends at \(line.to) in place of \(state.status.rawValue)")
            }
        }
        guard status == state.status.rawValue, before == state.before.map(\.rawValue) else {
            return wrong(
                "it is \(status) over \(before), and its history ends at \(state.status.rawValue) over \(state.before)")
        }
        return []
    }
}

extension CatalogAccount {
    /// Checks that a start has ended the reads that the crash before it interrupted.
    /// - Parameter left: the account as the crash left it.
    func flawsOfRecovery(from left: CatalogAccount) -> [Contradiction] {
        left.entries.filter { $0.status == "verifying" }.flatMap { cut -> [Contradiction] in
            guard let now = entries.first(where: { $0.id == cut.id }), now.history.count > cut.history.count else {
                return [Contradiction(kind: .lost, about: cut.url, text: "the start did not end the interrupted read")]
            }
            let line = now.history[cut.history.count]
            guard line.event == "unreachable", line.actor == "baton", line.to == cut.before.last ?? "pending" else {
                return [Contradiction(kind: .wrong, about: cut.url, text: "the interrupted read ended wrongly: \(line)")]
            }
            return []
        }
    }
}
