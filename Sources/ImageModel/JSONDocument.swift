package import FoundationEssentials

/// A value that is sent as one JSON text.
package protocol JSONDocument: Encodable, Sendable {}

extension JSONDocument {
    /// The JSON text in UTF-8, with members sorted by name.
    package func written() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

/// An item of a list that can be long. Its size decides which thread encodes it.
package protocol JSONItem: JSONDocument {
    /// An estimate of the size of the JSON text in bytes, which costs a fraction of encoding it.
    var textSize: Int { get }
}
