// Checks of images, representations and manifests.
extension CrashRecord {
    /// An image exists if its creation was answered; others exist only if their creation is open.
    func flawsOfImages(_ account: CatalogAccount) -> [Contradiction] {
        let lost = images.subtracting(account.images).sorted()
        let unasked = account.images.subtracting(images).subtracting(openImages).sorted()
        return lost.map { Contradiction(kind: .lost, about: $0, text: "the image is missing") }
            + unasked.map { Contradiction(kind: .wrong, about: $0, text: "this image was not requested") }
    }

    /// An image has its representation from its first location with declared content on; a location without declared content gives it
    /// one after it has been read.
    func flawsOfContents(_ account: CatalogAccount) -> [Contradiction] {
        let isRead = Dictionary(grouping: account.entries, by: \.image).mapValues { entries in
            entries.contains { $0.history.contains { $0.to == "active" } }
        }
        let declared = Set(books.values.filter { $0.id != nil && $0.isDeclared }.map(\.content.image))
        var flaws: [Contradiction] = []
        for (image, content) in contents.sorted(by: { $0.key < $1.key }) {
            let right = CatalogAccount.Content(
                image: image, size: content.size, identity: "sha256:\(content.digests["sha256"] ?? "")",
                isOnIntegrityHold: false,
                hasDigestConflict: false)
            let found = account.contents.filter { $0.image == image }
            let mustBeThere = declared.contains(image) || withContent.contains(image) || isRead[image] ?? false
            if found != [right], mustBeThere || !found.isEmpty {
                flaws.append(
                    Contradiction(kind: found.isEmpty ? .lost : .wrong, about: image, text: "its representations are \(found)"))
            }
        }
        return flaws
    }

    /// A manifest is complete and right, or does not exist; once it exists, it stays.
    func flawsOfManifests(_ account: CatalogAccount) -> [Contradiction] {
        let gone = Set(withManifest.keys).subtracting(account.manifests.map(\.image)).sorted()
        let contents = contents
        let wrong = account.manifests.compactMap { manifest in
            contents[manifest.image].flatMap { manifest.flaw(of: $0) }.map { (manifest.image, $0) }
        }
        return gone.map { Contradiction(kind: .lost, about: $0, text: "its manifest is gone") }
            + wrong.map { Contradiction(kind: .wrong, about: $0.0, text: "its manifest: \($0.1)") }
    }

    /// The contents of the images for which a location was requested.
    private var contents: [String: LocationBook.Content] {
        Dictionary(books.values.map { ($0.content.image, $0.content) }) { first, _ in first }
    }
}
