extension LocationBook {
    /// The contradictions between the catalog's location and this book.
    func contradictions(with entry: CatalogAccount.Entry) -> [Contradiction] {
        flawsOfRecord(entry) + entry.flawsOfHistory() + flawsOfChanges(entry.history) + flawsOfSeen(entry.history)
            + flawsOfAttribution(entry.history)
    }

    private func lost(_ text: String) -> Contradiction { Contradiction(kind: .lost, about: url, text: text) }
    private func wrong(_ text: String) -> Contradiction { Contradiction(kind: .wrong, about: url, text: text) }

    /// Whether a history line is an operator's change.
    private static func isAsked(_ line: CatalogAccount.Line) -> Bool { line.actor == "admin" && line.event != "registered" }

    /// Whether the history has a line for the unanswered change.
    func hasOpen(in history: [CatalogAccount.Line]) -> Bool {
        open.map { open in history.contains { $0.reason == open.mark } } ?? false
    }

    private func flawsOfRecord(_ entry: CatalogAccount.Entry) -> [Contradiction] {
        var flaws: [Contradiction] = []
        if let id, entry.id != id { flaws.append(wrong("its id was \(id), and is \(entry.id)")) }
        if entry.image != content.image { flaws.append(wrong("it belongs to another image")) }
        if let size = entry.size, size != content.size { flaws.append(wrong("its size is \(size)")) }
        for (algorithm, digest) in entry.digests where content.digests[algorithm] != digest {
            flaws.append(wrong("its \(algorithm) is \(digest)"))
        }
        if entry.status == "active", entry.size == nil || entry.digests["sha256"] == nil {
            flaws.append(wrong("it serves without size and digest"))
        }
        if let progress = entry.progress, !(0...content.size).contains(progress) {
            flaws.append(wrong("a read of it stands at \(progress) of \(content.size) bytes"))
        } else if isSound, let progress = entry.progress, let flaw = entry.chunks?.flaw(of: content, at: progress) {
            flaws.append(wrong("the chunks of a read at \(progress): \(flaw)"))
        }
        // An unanswered edit counts if and only if its line exists.
        let done = changes + (hasOpen(in: entry.history) ? [open].compactMap(\.self) : [])
        let words = done.last { $0.words != nil }?.words ?? words
        if words != Words(weight: entry.weight, metadata: entry.metadata) {
            flaws.append(lost("it has weight \(entry.weight) and \(entry.metadata) in place of \(words)"))
        }
        return flaws
    }

    private func flawsOfChanges(_ history: [CatalogAccount.Line]) -> [Contradiction] {
        let lines = history.filter(Self.isAsked)
        let expected = changes + (hasOpen(in: history) ? [open].compactMap(\.self) : [])
        var flaws: [Contradiction] = []
        for change in changes where !lines.contains(where: { $0.reason == change.mark }) {
            flaws.append(lost("\(change.event) was answered (\(change.mark)), and is not in its history"))
        }
        for line in lines where !expected.contains(where: { $0.mark == line.reason }) {
            let why = refused.contains(line.reason) ? "refused, or not there before" : "not requested"
            flaws.append(wrong("\(line.event) is in its history (\(line.reason)), and was \(why)"))
        }
        guard flaws.isEmpty else { return flaws }
        guard lines.map(\.reason) == expected.map(\.mark) else {
            return [wrong("its history has \(lines.map(\.reason)), and it was asked for \(expected.map(\.mark))")]
        }
        for (line, change) in zip(lines, expected) {
            if line.event != change.event { flaws.append(wrong("\(change.mark) was \(change.event), and is \(line.event)")) }
            if let told = change.told, told != line.to {
                flaws.append(wrong("\(change.event) (\(change.mark)) was told to lead to \(told), and led to \(line.to)"))
            }
        }
        if let told, !history.contains(where: { $0.to == told }) {
            flaws.append(lost("its registration told of the status \(told)"))
        }
        return flaws
    }

    private func flawsOfSeen(_ history: [CatalogAccount.Line]) -> [Contradiction] {
        history.starts(with: seen)
            ? [] : [lost("its history had \(seen.count) lines which are not the first of its \(history.count)")]
    }

    /// An interrupted read that resumed wrongly would quarantine a sound location.
    private func flawsOfAttribution(_ history: [CatalogAccount.Line]) -> [Contradiction] {
        guard isSound else { return [] }
        let attribution: Set<String> = ["marked_suspect", "suspect", "mismatched", "missed", "quarantine", "digest_conflict"]
        return history.filter { $0.actor == "baton" && attribution.contains($0.event) }
            .map { wrong("its bytes are right, and Baton says: \($0.event), \($0.reason)") }
    }
}
