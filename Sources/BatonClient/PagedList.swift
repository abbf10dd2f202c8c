package import AdminContract
package import ImageModel

/// All pages of a list.
package struct PagedList<Item: ListedDocument>: Sendable {
    /// The items of all pages.
    package private(set) var items: [Item] = []
    /// The pages as the server sent them, in order.
    private var pages: [[String: JSONValue]] = []

    /// Adds the next page.
    /// - Returns: the path of the page after it; nil if it is the last one.
    /// - Throws: `ClientError` if the page can't be decoded.
    mutating func add(_ answer: Endpoint.Answer) throws(ClientError) -> String? {
        let page = try answer.decoded(as: Page<Item>.self)
        items += page.items
        pages.append(try answer.decoded(as: [String: JSONValue].self))
        return page.next
    }

    /// The members of the first page, with the items of all pages and without the link to the next one. Members that this
    /// client does not know are kept.
    package var document: JSONValue {
        var whole: [String: JSONValue] = [:]
        var items: [JSONValue] = []
        for page in pages {
            if case .array(let some) = page[Item.listName] { items += some }
            whole.merge(page) { first, _ in first }
        }
        whole[Item.listName] = .array(items)
        whole[PageMember.next] = nil
        return .object(whole)
    }
}

extension Endpoint {
    /// Fetches all pages of a list.
    /// - Parameter path: the path of the first page.
    /// - Throws: `ClientError`.
    package func list<Item>(_ path: String) async throws -> PagedList<Item> {
        var list = PagedList<Item>()
        var next: String? = path
        while let path = next { next = try list.add(try await send("GET", path)) }
        return list
    }
}
