package import FoundationEssentials
package import ImageModel

/// An image with all its properties that the API shows.
package struct ImageRecord: Sendable, Equatable {
    package let image: Image
    /// The response of the requesting project; nil if the image is not shared with it.
    package let membership: Member.Status?
    /// The representation of a plain download; nil while the image has none.
    package let representation: Representation?
    /// That representation's locations that serve or may soon serve, in the order that clients gave.
    package let locations: [ListedLocation]

    init(image: Image, membership: Member.Status?, representation: Representation?, locations: [ListedLocation]) {
        self.image = image
        self.membership = membership
        self.representation = representation
        self.locations = locations
    }

    /// Creates the record of a new image, without locations.
    package init(new image: Image) { self.init(image: image, membership: nil, representation: nil, locations: []) }
}

/// A location in an image's list of locations.
package struct ListedLocation: Sendable, Equatable {
    package let location: Location
    /// The metadata as the client's JSON, if it has values other than strings; nil otherwise.
    package var metadata: String?

    /// The statuses in which clients see a location: it serves, or it may soon.
    static let shown: Set<LocationStatus> = [.pending, .verifying, .active]
}

/// An edit of an image. It begins with the current values; changed values are stored.
package struct ImageEdit: Sendable {
    /// One entry of the list of locations.
    package enum Entry: Sendable {
        /// An existing location, whose metadata may be changed.
        case kept(ListedLocation, words: [String: String])
        /// A location to register.
        case new(NewEntry)
    }

    /// A location to register, and its initial state.
    package struct NewEntry: Sendable {
        package let id: LocationID
        package let location: NewLocation
        /// The metadata as JSON, if it has values other than strings; nil otherwise.
        package let metadata: String?
        /// The validator of the object, if a probe has just determined it.
        package let validator: Validator?
        /// Whether to activate it at once.
        package let isActive: Bool

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

    package var image: Image
    /// The response of the requesting project.
    package let membership: Member.Status?
    /// The representation of a plain download.
    package let representation: Representation?
    /// The list of locations. Locations that are removed from it are deleted.
    package var entries: [Entry]
    /// The time at which the records of removed locations expire; nil for never.
    package var expiresAt: Date?
    /// The step of the image's upload; nil for none.
    package var upload: UploadStep?

    package init(image: Image, membership: Member.Status?, representation: Representation?, entries: [Entry]) {
        self.image = image
        self.membership = membership
        self.representation = representation
        self.entries = entries
    }
}
