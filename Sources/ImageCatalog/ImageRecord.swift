package import FoundationEssentials
package import ImageModel

/// An image with all that is shown of it.
package struct ImageRecord: Sendable, Equatable {
    /// The image.
    package let image: Image
    /// What the project that asked makes of it; nil when it is not shared with that project.
    package let membership: Member.Status?
    /// What a plain download gets; nil as long as the image has none.
    package let representation: Representation?
    /// That representation's locations that serve or soon will, in the order that clients gave them.
    package let locations: [ListedLocation]

    init(image: Image, membership: Member.Status?, representation: Representation?, locations: [ListedLocation]) {
        self.image = image
        self.membership = membership
        self.representation = representation
        self.locations = locations
    }

    /// An image that nothing belongs to yet.
    package init(new image: Image) { self.init(image: image, membership: nil, representation: nil, locations: []) }
}

/// A location as it stands in an image's list.
package struct ListedLocation: Sendable, Equatable {
    /// The location.
    package let location: Location
    /// Its metadata as the client wrote it, as JSON, where that is more than words by name.
    package var metadata: String?

    /// Statuses in which clients see a location: it serves, or nobody has found anything against it.
    static let shown: Set<LocationStatus> = [.pending, .verifying, .active]
}

/// What a change can do to an image. Everything is as it is now; what is changed is stored.
package struct ImageEdit: Sendable {
    /// One place of the list.
    package enum Entry: Sendable {
        /// A location that is there already; its metadata may have been changed.
        case kept(ListedLocation, words: [String: String])
        /// One to register.
        case new(NewEntry)
    }

    /// A location to register, and what it is to become.
    package struct NewEntry: Sendable {
        /// The id it will have.
        package let id: LocationID
        /// The location.
        package let location: NewLocation
        /// Its metadata as JSON, where that is more than words by name.
        package let metadata: String?
        /// What pins the object, when somebody has just looked at it: the location is then active at once.
        package let validator: Validator?
        /// Whether to activate it at once.
        package let isActive: Bool

        /// An entry with every property given.
        package init(
            id: LocationID = LocationID(), _ location: NewLocation, metadata: String? = nil, validator: Validator? = nil,
            isActive: Bool = false
        ) {
            self.id = id
            self.location = location
            self.metadata = metadata
            self.validator = validator
            self.isActive = isActive
        }
    }

    /// The image.
    package var image: Image
    /// What the project that asked makes of it.
    package let membership: Member.Status?
    /// What a plain download gets.
    package let representation: Representation?
    /// The list of its locations. What is left out of it is deleted.
    package var entries: [Entry]
    /// When what is left out of the list is forgotten for good; nil for never.
    package var expiresAt: Date?
    /// What happens to the image's upload; nil for nothing.
    package var upload: UploadStep?

    /// An edit with every property given.
    package init(image: Image, membership: Member.Status?, representation: Representation?, entries: [Entry]) {
        self.image = image
        self.membership = membership
        self.representation = representation
        self.entries = entries
    }
}
