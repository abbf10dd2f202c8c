/// The requests to a server and its answers, until it was killed. The catalog is checked against this record afterwards.
struct CrashRecord: Sendable {
    /// By URL.
    private(set) var books: [String: LocationBook] = [:]
    /// The number of successful answers, registrations included.
    private(set) var acknowledged = 0
    /// The numbers of unanswered requests that were found done afterwards, and not done.
    private(set) var openDone = 0
    private(set) var openUndone = 0
    /// The images whose creation was answered or found done, and those whose creation is open.
    private(set) var images: Set<String> = []
    private(set) var openImages: Set<String> = []
    /// The images that were seen with a representation.
    private(set) var withContent: Set<String> = []
    /// The images whose manifest was seen in the catalog, and the number of its pages.
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

    /// A change is about to be requested.
    mutating func asks(_ change: LocationBook.Change, of url: String) { books[url]?.open = change }

    /// The change was confirmed.
    mutating func answered(_ url: String, told status: String?) {
        guard var change = books[url]?.open else { return }
        change.told = status
        books[url]?.changes.append(change)
        books[url]?.open = nil
        acknowledged += 1
    }

    /// The change was refused.
    mutating func refused(_ url: String) {
        guard let change = books[url]?.open else { return }
        books[url]?.refused.insert(change.mark)
        books[url]?.open = nil
    }

    /// The history was read.
    mutating func saw(_ history: [CatalogAccount.Line], of url: String) { books[url]?.seen = history }

    /// The catalog held these manifests.
    mutating func saw(_ manifests: [CatalogAccount.Manifest]) {
        for manifest in manifests { withManifest[manifest.image] = manifest.pages.count }
    }

    /// The contradictions between a catalog and this record.
    func contradictions(with account: CatalogAccount) -> [Contradiction] {
        var entries = Dictionary(grouping: account.entries, by: \.url)
        var flaws: [Contradiction] = []
        for book in books.values.sorted(by: { $0.url < $1.url }) {
            let found = entries.removeValue(forKey: book.url) ?? []
            if found.isEmpty, book.id != nil {
                flaws.append(
                    Contradiction(kind: .lost, about: book.url, text: "its registration was answered, and it is missing"))
            }
            if found.count > 1 {
                flaws.append(Contradiction(kind: .wrong, about: book.url, text: "it exists \(found.count) times"))
            }
            for entry in found { flaws += book.contradictions(with: entry) }
        }
        for url in entries.keys.sorted() {
            flaws.append(Contradiction(kind: .wrong, about: url, text: "it was not requested"))
        }
        return flaws + flawsOfImages(account) + flawsOfContents(account) + flawsOfManifests(account)
    }

    /// Settles unanswered requests by a catalog: from now on they count as done or not done.
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
