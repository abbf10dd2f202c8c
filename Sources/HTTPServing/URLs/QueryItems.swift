package import ImageModel

/// The query of a URL in its order, in the encoding of HTML forms: names may repeat, and a plus is a space.
package struct QueryItems {
    /// A name and its value.
    package typealias Item = (name: String, value: String)

    package let items: [Item]

    /// Parses a query without the question mark.
    package init(_ query: String?) {
        items = (query ?? "").split(separator: "&").map { part in
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { half in
                PercentEncoding.decode(String(half.map { $0 == "+" ? " " : $0 }))
            }
            return (halves[0], halves.count > 1 ? halves[1] : "")
        }
    }

    package init(_ items: [Item]) { self.items = items }

    /// The last value of a name; nil without one.
    package subscript(name: String) -> String? { items.last { $0.name == name }?.value }

    /// All values of a name, in order.
    package func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

    /// The items without those of one name.
    package func without(_ name: String) -> QueryItems { QueryItems(items.filter { $0.name != name }) }

    /// The percent-encoded query.
    package var text: String {
        items.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
    }
}

/// Pagination by marker for a list without a limit: a page begins after the item that the parameter `marker` names.
package enum Marker {
    /// The items after the marker; all without one.
    /// - Parameter name: the name by which a marker identifies an item.
    /// - Throws: `APIError` 400 if no item has the marker's name.
    package static func rest<Item>(
        of items: [Item], _ query: QueryItems, _ name: (Item) -> String
    ) throws(APIError) -> ArraySlice<Item> {
        guard let marker = query["marker"] else { return items[...] }
        guard let index = items.firstIndex(where: { name($0) == marker }) else {
            throw .badRequest("marker names no item of this list: request the list without it.")
        }
        return items[(index + 1)...]
    }

    /// The link to the next page, which begins after the item `name`.
    package static func next(_ path: String, behind name: String) -> JSONValue {
        .string("\(path)?\(QueryItems([("marker", name)]).text)")
    }
}
