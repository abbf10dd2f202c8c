import CCurl

/// The head of a response: an HTTP status with its header fields, or the facts of an opened file.
package struct ResponseHead: Sendable {
    /// The HTTP status; 0 for a file.
    package let status: Int
    /// The header fields in order of arrival, with names in lower case and values without surrounding whitespace.
    package let fields: [(name: String, value: String)]
    package let file: FileFacts?

    package init(status: Int, fields: [(name: String, value: String)]) {
        self.status = status
        self.fields = fields
        self.file = nil
    }

    package init(file: FileFacts) {
        self.status = 0
        self.fields = []
        self.file = file
    }

    /// The value of the first field with that name (in lower case); nil if there is none.
    package subscript(name: String) -> String? {
        fields.first { $0.name == name }?.value
    }

    /// The date in the first field with that name, in seconds since 1970; nil if there is none that `curl_getdate(3)` can
    /// parse.
    package func time(_ name: String) -> Int64? {
        guard let value = self[name] else { return nil }
        let time = curl_getdate(value, nil)
        return time < 0 ? nil : Int64(time)
    }
}
