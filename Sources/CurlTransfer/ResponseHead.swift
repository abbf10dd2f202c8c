import CCurl

/// What came before the body: an HTTP status with its header fields, or the facts of an opened file.
package struct ResponseHead: Sendable {
    /// The HTTP status; 0 for a file, which has none.
    package let status: Int
    /// The header fields in the order they came, names in lower case, values without surrounding blanks.
    package let fields: [(name: String, value: String)]
    /// The facts of the file; nil for HTTP.
    package let file: FileFacts?

    /// The head of an HTTP response.
    package init(status: Int, fields: [(name: String, value: String)]) {
        self.status = status
        self.fields = fields
        self.file = nil
    }

    /// The head of a file.
    package init(file: FileFacts) {
        self.status = 0
        self.fields = []
        self.file = file
    }

    /// The value of the first field of that name (in lower case); nil if there is none.
    package subscript(name: String) -> String? {
        fields.first { $0.name == name }?.value
    }

    /// The date in the first field of that name, in seconds since 1970; nil if there is none that can be read (`curl_getdate(3)`).
    package func time(_ name: String) -> Int64? {
        guard let value = self[name] else { return nil }
        let time = curl_getdate(value, nil)
        return time < 0 ? nil : Int64(time)
    }
}
