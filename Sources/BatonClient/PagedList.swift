import FoundationEssentials
import ImageModel

/// All pages of a list.
package struct PagedList: Sendable {
    let pages: [Endpoint.Answer]

    /// Decodes each page, in order.
    /// - Throws: `ClientError` if a page can't be decoded.
    package func decoded<Page: Decodable>(as type: Page.Type) throws -> [Page] {
        try pages.map { try $0.decoded(as: type) }
    }

    /// The list as one JSON object.
    /// - Parameter name: the member that holds the items.
    /// - Throws: `ClientError` if a page can't be decoded.
    package func json(listing name: String) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(try document(listing: name)), as: UTF8.self)
    }

    /// The members of the first page, with the items of all pages and without the link to the next one.
    func document(listing name: String) throws -> JSONValue {
        var whole: [String: JSONValue] = [:]
        var items: [JSONValue] = []
        for page in try decoded(as: [String: JSONValue].self) {
            if case .array(let some) = page[name] { items += some }
            whole.merge(page) { first, _ in first }
        }
        whole[name] = .array(items)
        whole["next"] = nil
        return .object(whole)
    }
}

extension Endpoint {
    /// Fetches all pages of a list.
    /// - Parameter path: the path of the first page.
    /// - Throws: `ClientError`.
    package func list(_ path: String) async throws -> PagedList {
        struct Link: Decodable { let next: String? }
        var pages = [try await send("GET", path)]
        while let next = try pages[pages.count - 1].decoded(as: Link.self).next { pages.append(try await send("GET", next)) }
        return PagedList(pages: pages)
    }
}
