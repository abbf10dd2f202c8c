package import FoundationEssentials
package import ImageModel

/// Which images a list shows, and in which order.
package struct ImageQuery: Sendable, Equatable {
    /// Whose eyes a list is made for.
    package enum Scope: Sendable, Equatable {
        /// All images.
        case everything
        /// What is public or community, what the project owns, and what is shared with it.
        /// - `sharing`: what the project must have made of a shared image; nil for anything.
        case project(String?, sharing: Member.Status?)
    }

    /// At most so many; from 0.
    package var limit = 25
    /// At most so many bytes, as their size is estimated, but at least one image.
    package var pageSize = CatalogPage<ImageRecord>.ordinarySize
    /// Begin behind this one.
    package var marker: ImageID?
    /// Whose eyes.
    package var scope = Scope.everything
    /// All must hold.
    package var filters: [ImageFilter] = []
    /// By what to sort, the most significant first. Ties are broken by the time of creation and the id, in the direction of the
    /// first key.
    package var order: [ImageOrder] = [ImageOrder(.createdAt, .descending)]

    /// Everything, the newest first, 25 at a time.
    package init() {}
}

/// A condition that a listed image fulfils.
package enum ImageFilter: Sendable, Equatable {
    /// The columns that hold a word.
    package enum Word: String, Sendable, CaseIterable {
        case id, name, status, visibility, owner
        case diskFormat = "disk_format"
        case containerFormat = "container_format"
    }

    /// The columns that hold a time.
    package enum Time: String, Sendable, CaseIterable {
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    /// How a time is compared.
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
    /// It is in lists, or hidden from them.
    case isHidden(Bool)
    /// It can be deleted, or not.
    case isProtected(Bool)
    /// Its size in bytes lies in the range.
    case size(ClosedRange<Int64>)
    /// A whole number is exactly this.
    case minimum(disk: Int?, memory: Int?)
    /// The time compares like this.
    case time(Time, Comparison, Date)
    /// It bears the tag.
    case tag(String)
    /// A property of the user has this value.
    case property(String, String)
    /// It has this digest, in hexadecimal digits.
    case checksum(Checksum, String)
    /// It is not of this visibility, unless this project owns it.
    case notVisibility(Image.Visibility, unlessOwner: String?)
}

/// One key of an order.
package struct ImageOrder: Sendable, Equatable {
    /// What can be sorted by.
    package enum Key: String, Sendable, CaseIterable {
        case name, status, size, id
        case diskFormat = "disk_format"
        case containerFormat = "container_format"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    /// Which end comes first.
    package enum Direction: String, Sendable, CaseIterable {
        case ascending = "asc"
        case descending = "desc"
    }

    /// By what.
    package let key: Key
    /// Which end first. What is not known counts as least.
    package let direction: Direction

    /// A key with its direction.
    package init(_ key: Key, _ direction: Direction) {
        self.key = key
        self.direction = direction
    }
}
