import ImageModel

/// A page of a list, bounded in memory.
package struct CatalogPage<Item: Sendable>: Sendable {
    /// The ordinary page size in bytes: large enough for ordinary pages, small enough for many concurrent clients.
    package static var ordinarySize: Int { 16 << 20 }

    /// The items in the order of the list; at least one if there are any.
    package private(set) var items: [Item] = []
    /// Whether the page was cut by its size before the requested count.
    package private(set) var isCut = false
    private var room: Int

    init(size: Int) { room = size }

    /// Adds an item if it fits.
    mutating func add(_ item: Item, of bytes: Int) {
        guard !isCut, items.isEmpty || bytes <= room else { return isCut = true }
        items.append(item)
        room -= bytes
    }
}

extension ImageRecord {
    /// An estimate of the record's size in bytes: its texts, and a constant for everything else.
    var size: Int {
        var size = 1024 + image.textSize
        for listed in locations { size += 512 + listed.location.textSize + (listed.metadata?.utf8.count ?? 0) }
        return size
    }
}

extension Image {
    /// The size in bytes of the texts without a small limit.
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
    /// An estimate of the task's size in bytes.
    var size: Int { 512 + input.utf8.count + message.utf8.count }
}
