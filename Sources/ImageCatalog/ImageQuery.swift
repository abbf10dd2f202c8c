package import FoundationEssentials
package import ImageModel

/// The filters, the order and the page of a list of images.
package struct ImageQuery: Sendable, Equatable {
    /// The set of images that a list may contain.
    package enum Scope: Sendable, Equatable {
        /// All images, for administrators.
        case everything
        /// Public and community images, images that the project owns, and images shared with it.
        /// - `sharing`: the project's response to a shared image; nil for any.
        case project(String?, sharing: Member.Status?)
    }

    /// The largest number of images; 0 or more.
    package var limit = 25
    /// The largest estimated size of the page in bytes; at least one image is returned.
    package var pageSize = CatalogPage<ImageRecord>.ordinarySize
    /// The image after which the page begins; nil for the first page.
    package var marker: ImageID?
    /// The set of images that the list may contain.
    package var scope = Scope.everything
    /// The filters, all of which must match.
    package var filters: [ImageFilter] = []
    /// The sort keys, the most significant first. Ties are broken by the time of creation and the id, in the direction of the
    /// first key.
    package var order: [ImageOrder] = [ImageOrder(.createdAt, .descending)]

    package init() {}
}

/// A condition on the images of a list.
package enum ImageFilter: Sendable, Equatable {
    /// Columns with text values that are compared as a whole.
    package enum Word: String, Sendable, CaseIterable {
        case id, name, status, visibility, owner
        case diskFormat = "disk_format"
        case containerFormat = "container_format"
    }

    /// Columns with times.
    package enum Time: String, Sendable, CaseIterable {
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    /// A comparison of times.
    package enum Comparison: String, Sendable, CaseIterable {
        case gt, gte, lt, lte, eq, neq
    }

    /// A digest that some location declares for the image's own representation: md5 as `checksum`, the strong one as
    /// `os_hash_value`.
    package enum Checksum: String, Sendable, CaseIterable {
        case checksum
        case value = "os_hash_value"
    }

    /// The word is one of these.
    case word(Word, [String])
    /// Whether lists omit the image.
    case isHidden(Bool)
    /// Whether the image is protected from deletion.
    case isProtected(Bool)
    /// The size in bytes lies in the range.
    case size(ClosedRange<Int64>)
    /// The minimum disk or memory equals this number.
    case minimum(disk: Int?, memory: Int?)
    /// The time compares like this.
    case time(Time, Comparison, Date)
    /// The image has the tag.
    case tag(String)
    /// A user property has this value.
    case property(String, String)
    /// The image has this digest, in hexadecimal digits.
    case checksum(Checksum, String)
    /// The image does not have this visibility, unless this project owns it.
    case notVisibility(Image.Visibility, unlessOwner: String?)
}

/// One sort key of a list.
package struct ImageOrder: Sendable, Equatable {
    /// The columns to sort by.
    package enum Key: String, Sendable, CaseIterable {
        case name, status, size, id
        case diskFormat = "disk_format"
        case containerFormat = "container_format"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    /// The direction of a sort key.
    package enum Direction: String, Sendable, CaseIterable {
        case ascending = "asc"
        case descending = "desc"
    }

    package let key: Key
    /// The direction. Unknown values sort as the smallest.
    package let direction: Direction

    package init(_ key: Key, _ direction: Direction) {
        self.key = key
        self.direction = direction
    }
}
