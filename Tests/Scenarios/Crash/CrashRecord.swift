/// What was asked of a server and what it answered, up to the moment when it was killed. What a catalog says afterwards is judged
/// by it.
struct CrashRecord: Sendable {
    /// By URL.
    private(set) var books: [String: LocationBook] = [:]
    /// How much was answered with yes, registrations included.
    private(set) var acknowledged = 0
    /// How much was asked for, not answered, and found done afterwards; and how much was found not to be.
    private(set) var openDone = 0
    private(set) var openUndone = 0
    /// The images whose creation was answered or found done, and those of which that is not known.
    private(set) var images: Set<String> = []
    private(set) var openImages: Set<String> = []
    /// The images that were seen with a representation.
    private(set) var withContent: Set<String> = []
    /// The images whose chunks' digests were in the catalog once, and how many pages of them.
    private(set) var withManifest: [String: Int] = [:]

    /// An image is about to be created.
    mutating func asksToCreate(_ image: String) { openImages.insert(image) }

    /// The creation was answered.
    mutating func created(_ image: String) {
        openImages.remove(image)
        images.insert(image)
        acknowledged += 1
    }

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
    mutating func saw(_ manifests: [CatalogAccount.Manifest]) {
        for manifest in manifests { withManifest[manifest.image] = manifest.pages.count }
    }

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
        return flaws + flawsOfImages(account) + flawsOfContents(account) + flawsOfManifests(account)
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
        settleImages(by: account)
        saw(account.manifests)
    }

    private mutating func settleImages(by account: CatalogAccount) {
        let done = openImages.intersection(account.images)
        openDone += done.count
        openUndone += openImages.count - done.count
        images.formUnion(done)
        openImages = []
        withContent.formUnion(account.contents.map(\.image))
    }
}
