import FoundationEssentials

/// A list that a server gives page by page, whole.
package struct PagedList: Sendable {
    let pages: [Endpoint.Answer]

    /// What each page says, in their order.
    /// - Throws: `ClientError` if one is no such page.
    package func decoded<Page: Decodable>(as type: Page.Type) throws -> [Page] {
        try pages.map { try $0.decoded(as: type) }
    }

    /// The list as one object of JSON, written as servers write it.
    /// - Parameter name: the member that holds the items.
    /// - Throws: `ClientError` if a page is none.
    package func json(listing name: String) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(try document(listing: name)), as: UTF8.self)
    }

    /// The members of the first page, with the items of all and without the link to a next one.
    func document(listing name: String) throws -> AnyJSON {
        var whole: [String: AnyJSON] = [:]
        var items: [AnyJSON] = []
        for page in try decoded(as: [String: AnyJSON].self) {
            if case .array(let some) = page[name] { items += some }
            whole.merge(page) { first, _ in first }
        }
        whole[name] = .array(items)
        whole["next"] = nil
        return .object(whole)
    }
}

extension Endpoint {
    /// All pages of a list.
    /// - Parameter path: the first one's.
    /// - Throws: `ClientError`.
    package func list(_ path: String) async throws -> PagedList {
        struct Link: Decodable { let next: String? }
        var pages = [try await send("GET", path)]
        while let next = try pages[pages.count - 1].decoded(as: Link.self).next { pages.append(try await send("GET", next)) }
        return PagedList(pages: pages)
    }
}
