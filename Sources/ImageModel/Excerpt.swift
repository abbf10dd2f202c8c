extension StringProtocol {
    /// The beginning of a text, for a message: at most so many Unicode scalars. A `Character` may hold any number of them, so a limit
    /// in characters limits nothing.
    package func excerpt(_ limit: Int) -> String { String(String.UnicodeScalarView(unicodeScalars.prefix(limit))) }
}
