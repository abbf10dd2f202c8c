/// What was asked of a server and what it answered, up to the moment when it was killed. What a catalog says afterwards is judged
/// by it.
struct CrashJournal: Sendable {
    /// By URL.
    private(set) var books: [String: LocationBook] = [:]
    /// How much was answered with yes, registrations included.
    private(set) var acknowledged = 0
    /// How much was asked for, not answered, and found done afterwards; and how much was found not to be.
    private(set) var openDone = 0
    private(set) var openUndone = 0
    /// The images whose chunks' digests were in the catalog once.
    private(set) var withManifest: Set<String> = []

    /// A location is about to be registered.
    mutating func asksToRegister(_ book: LocationBook) { books[book.url] = book }

    /// The registration was answered.
    mutating func registered(_ url: String, as id: String, told status: String?) {
        books[url]?.id = id
        books[url]?.told = status
        acknowledged += 1
    }

    /// A change is about to be asked for.
    mutating func asks(_ change: LocationBook.Change, of url: String) { books[url]?.open = change }

    /// The change was answered with yes.
    mutating func answered(_ url: String, told status: String?) {
        guard var change = books[url]?.open else { return }
        change.told = status
        books[url]?.changes.append(change)
        books[url]?.open = nil
        acknowledged += 1
    }

    /// The change was answered with no.
    mutating func refused(_ url: String) {
        guard let change = books[url]?.open else { return }
        books[url]?.refused.insert(change.mark)
        books[url]?.open = nil
    }

    /// Somebody was shown the history.
    mutating func saw(_ history: [CatalogAccount.Line], of url: String) { books[url]?.seen = history }

    /// The catalog held these manifests.
    mutating func saw(_ manifests: [CatalogAccount.Manifest]) { withManifest.formUnion(manifests.map(\.image)) }

    /// Where a catalog contradicts this.
    func contradictions(with account: CatalogAccount) -> [Contradiction] {
        var entries = Dictionary(grouping: account.entries, by: \.url)
        var flaws: [Contradiction] = []
        for book in books.values.sorted(by: { $0.url < $1.url }) {
            let found = entries.removeValue(forKey: book.url) ?? []
            if found.isEmpty, book.id != nil {
                flaws.append(
                    Contradiction(kind: .lost, about: book.url, text: "its registration was answered, and it is not there"))
            }
            if found.count > 1 {
                flaws.append(Contradiction(kind: .wrong, about: book.url, text: "it is there \(found.count) times"))
            }
            for entry in found { flaws += book.contradictions(with: entry) }
        }
        for url in entries.keys.sorted() {
            flaws.append(Contradiction(kind: .wrong, about: url, text: "nobody asked for it"))
        }
        // An image whose locations are all unanswered may be without a representation.
        let answered = books.values.filter { $0.id != nil }.map(\.content)
        let known = Dictionary(answered.map { ($0.image, $0) }) { first, _ in first }
        return flaws + flawsOfImages(account, known) + flawsOfManifests(account, known)
    }

    private func flawsOfImages(_ account: CatalogAccount, _ known: [String: LocationBook.Content]) -> [Contradiction] {
        var flaws: [Contradiction] = []
        for (image, content) in known.sorted(by: { $0.key < $1.key }) {
            if !account.images.contains(image) {
                flaws.append(Contradiction(kind: .lost, about: image, text: "the image is not there"))
            }
            let right = CatalogAccount.Content(
                image: image, size: content.size, identity: "sha256:\(content.digests["sha256"] ?? "")", isInDoubt: false,
                isDistrusted: false)
            let found = account.contents.filter { $0.image == image }
            if found != [right] {
                flaws.append(
                    Contradiction(kind: found.isEmpty ? .lost : .wrong, about: image, text: "its representations are \(found)"))
            }
        }
        return flaws
    }

    /// A manifest is there whole and right, or not at all; once there, it stays.
    private func flawsOfManifests(_ account: CatalogAccount, _ known: [String: LocationBook.Content]) -> [Contradiction] {
        let gone = withManifest.subtracting(account.manifests.map(\.image)).sorted()
        let wrong = account.manifests.compactMap { manifest in
            known[manifest.image].flatMap { manifest.flaw(of: $0) }.map { (manifest.image, $0) }
        }
        return gone.map { Contradiction(kind: .lost, about: $0, text: "its manifest is not there any more") }
            + wrong.map { Contradiction(kind: .wrong, about: $0.0, text: "its manifest: \($0.1)") }
    }

    /// Takes over what a catalog shows of what was not answered: from now on it is done, or it is not.
    mutating func settle(by account: CatalogAccount) {
        let entries = Dictionary(account.entries.map { ($0.url, $0) }) { first, _ in first }
        for (url, book) in books {
            guard let entry = entries[url] else {
                if book.id == nil {
                    books[url] = nil
                    openUndone += 1
                }
                continue
            }
            if book.id == nil {
                books[url]?.id = entry.id
                openDone += 1
            }
            if let open = book.open {
                if book.hasOpen(in: entry.history) {
                    books[url]?.changes.append(open)
                    openDone += 1
                } else {
                    books[url]?.refused.insert(open.mark)
                    openUndone += 1
                }
                books[url]?.open = nil
            }
            books[url]?.seen = entry.history
            books[url]?.isOver = entry.status == "deleted"
        }
        saw(account.manifests)
    }
}
