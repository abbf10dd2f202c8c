import ImageModel

/// The reason why a text is not a location URL. It never contains the URL, which may hold credentials.
package enum InvalidLocationURL: Error, Sendable, Hashable, CustomStringConvertible {
    case noScheme
    case unknownScheme(String)
    case illegalCharacter
    case credentials
    case queryOrFragment
    case invalidHost
    case invalidEscape
    case dotSegment
    case emptySegment
    case invalidKey

    /// One sentence that names the problem and the remedy.
    package var description: String {
        switch self {
        case .noScheme: "the URL has no scheme: write for example http://host/path or file:///path"
        case .unknownScheme(let scheme):
            "the URL's scheme \(scheme.excerpt(16)) is not known: use http, https or file, or s3 or swift for a backend of that driver"
        case .illegalCharacter: "the URL holds a blank, a backslash or a character outside ASCII: percent-encode it"
        case .credentials: "the URL holds credentials: put them into the backend's configuration, never into a URL"
        case .queryOrFragment: "the URL has a query or a fragment: a location is named by its path alone"
        case .invalidHost: "the URL's host or port is malformed"
        case .invalidEscape: "the URL's path has a malformed escape, or one that stands for a slash, a backslash or NUL"
        case .dotSegment:
            "the URL's path has a segment . or .., plain or encoded, which servers shorten: write the path it leads to"
        case .emptySegment: "the URL's path has two slashes in a row: write one"
        case .invalidKey: "the URL names no object: after BACKEND/ it needs the key, percent-encoded, in UTF-8 and without NUL"
        }
    }
}
