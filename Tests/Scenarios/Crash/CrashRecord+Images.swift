// What must hold of images, of what they are, and of their manifests.
extension CrashRecord {
    /// An image is there if its creation was answered, and no other but one of which that is not known.
    func flawsOfImages(_ account: CatalogAccount) -> [Contradiction] {
        let lost = images.subtracting(account.images).sorted()
        let unasked = account.images.subtracting(images).subtracting(openImages).sorted()
        return lost.map { Contradiction(kind: .lost, about: $0, text: "the image is not there") }
            + unasked.map { Contradiction(kind: .wrong, about: $0, text: "nobody asked for this image") }
    }

    /// An image has its representation from the first location on that says what it holds, and for good; a location that does not say
    /// it gives one when it has been read.
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

    /// A manifest is there whole and right, or not at all; once there, it stays.
    func flawsOfManifests(_ account: CatalogAccount) -> [Contradiction] {
        let gone = Set(withManifest.keys).subtracting(account.manifests.map(\.image)).sorted()
        let contents = contents
        let wrong = account.manifests.compactMap { manifest in
            contents[manifest.image].flatMap { manifest.flaw(of: $0) }.map { (manifest.image, $0) }
        }
        return gone.map { Contradiction(kind: .lost, about: $0, text: "its manifest is not there any more") }
            + wrong.map { Contradiction(kind: .wrong, about: $0.0, text: "its manifest: \($0.1)") }
    }

    /// What the images are that somebody was going to give a location.
    private var contents: [String: LocationBook.Content] {
        Dictionary(books.values.map { ($0.content.image, $0.content) }) { first, _ in first }
    }
}
