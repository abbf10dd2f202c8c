package import ImageModel

/// An item of a list in `/baton/v1`.
package protocol ListedDocument: JSONItem, Decodable, Equatable {
    /// The member of a page that holds the items.
    static var listName: String { get }
}

/// One page of a list: the items, and the path of the next page.
package struct Page<Item: ListedDocument>: JSONDocument, Decodable, Equatable {
    package let items: [Item]
    /// The path of the next page; nil, and absent from the JSON, for the last page.
    package let next: String?

    package init(_ items: [Item], next: String? = nil) {
        self.items = items
        self.next = next
    }

    /// The names of the members: the list's own name, and `next`.
    private struct Key: CodingKey {
        static var items: Key { Key(stringValue: Item.listName) }
        static var next: Key { Key(stringValue: PageMember.next) }

        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }

        init?(intValue: Int) { nil }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        items = try container.decode([Item].self, forKey: .items)
        next = try container.decodeIfPresent(String.self, forKey: .next)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(items, forKey: .items)
        try container.encodeIfPresent(next, forKey: .next)
    }
}

/// The members that every page has beside its items.
package enum PageMember {
    /// The path of the next page.
    package static let next = "next"
}
