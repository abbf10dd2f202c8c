package import ImageModel

/// The query of a URL in its order, as HTML forms write it: names may be repeated, and a plus is a blank.
package struct QueryItems {
    /// One name with its value.
    package typealias Item = (name: String, value: String)

    package let items: [Item]

    /// Reads the part of a URL behind its question mark.
    package init(_ query: String?) {
        items = (query ?? "").split(separator: "&").map { part in
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { half in
                PercentEncoding.decode(String(half.map { $0 == "+" ? " " : $0 }))
            }
            return (halves[0], halves.count > 1 ? halves[1] : "")
        }
    }

    package init(_ items: [Item]) { self.items = items }

    /// The last value of a name.
    package subscript(name: String) -> String? { items.last { $0.name == name }?.value }

    /// All values of a name.
    package func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

    /// These items without those of one name.
    package func without(_ name: String) -> QueryItems { QueryItems(items.filter { $0.name != name }) }

    /// The query as it goes into a URL.
    package var text: String {
        items.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
    }
}

/// Where the next page of a list begins that has no limit of its own: behind the item that the parameter `marker` names.
package enum Marker {
    /// What comes behind the marker; everything if there is none.
    /// - Parameter name: what a marker names an item by.
    /// - Throws: `APIError` 400 if the list has no such item.
    package static func rest<Item>(
        of items: [Item], _ query: QueryItems, _ name: (Item) -> String
    ) throws(APIError) -> ArraySlice<Item> {
        guard let marker = query["marker"] else { return items[...] }
        guard let index = items.firstIndex(where: { name($0) == marker }) else {
            throw .badRequest("marker names nothing in this list: begin without it.")
        }
        return items[(index + 1)...]
    }

    /// The link to the next page.
    package static func next(_ path: String, behind name: String) -> JSONValue {
        .string("\(path)?\(QueryItems([("marker", name)]).text)")
    }
}
