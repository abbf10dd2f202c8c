import ImageModel

/// A part of a list that fits into memory.
package struct CatalogPage<Item: Sendable>: Sendable {
    /// What a page may take: enough for any ordinary one, little enough for many clients that ask at a time.
    package static var ordinarySize: Int { 16 << 20 }

    /// What is on it, in the order of the list. At least one item if there is any.
    package private(set) var items: [Item] = []
    /// Whether it ends before the count that was asked for, since it has as many bytes as a page may have.
    package private(set) var isCut = false
    private var room: Int

    /// An empty page.
    init(size: Int) { room = size }

    /// Adds an item if there is room for it.
    mutating func add(_ item: Item, of bytes: Int) {
        guard !isCut, items.isEmpty || bytes <= room else { return isCut = true }
        items.append(item)
        room -= bytes
    }
}

extension ImageRecord {
    /// How many bytes it takes, near enough: its texts, and a sum for all else.
    var size: Int {
        var size = 1024 + image.textSize
        for listed in locations { size += 512 + listed.location.textSize + (listed.metadata?.utf8.count ?? 0) }
        return size
    }
}

extension Image {
    /// The bytes of its texts that have no small bound.
    var textSize: Int {
        let properties = properties.reduce(0) { $0 + $1.key.utf8.count + ($1.value ?? "").utf8.count + 8 }
        return (name ?? "").utf8.count + tags.reduce(properties) { $0 + $1.utf8.count + 4 }
    }
}

extension Location {
    fileprivate var textSize: Int {
        metadata.reduce(url.utf8.count + path.utf8.count) { $0 + $1.key.utf8.count + $1.value.utf8.count + 8 }
    }
}

extension ImageTask {
    /// How many bytes it takes, near enough.
    var size: Int { 512 + input.utf8.count + message.utf8.count }
}
