package import ImageModel

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
