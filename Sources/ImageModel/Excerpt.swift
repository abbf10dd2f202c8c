extension StringProtocol {
    /// The beginning of a text, for a message: at most `limit` Unicode scalars. A limit in `Character`s would not bound the
    /// length, since a `Character` may consist of any number of scalars.
    package func excerpt(_ limit: Int) -> String { String(String.UnicodeScalarView(unicodeScalars.prefix(limit))) }
}
