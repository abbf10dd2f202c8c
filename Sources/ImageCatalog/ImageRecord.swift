public import FoundationEssentials
public import ImageModel

/// An image with all that is shown of it.
public struct ImageRecord: Sendable, Equatable {
    /// The image.
    public let image: Image
    /// What the project that asked makes of it; nil when it is not shared with that project.
    public let membership: Member.Status?
    /// What a plain download gets; nil as long as the image has none.
    public let representation: Representation?
    /// That representation's locations that serve or soon will, in the order that clients gave them.
    public let locations: [ListedLocation]

    init(image: Image, membership: Member.Status?, representation: Representation?, locations: [ListedLocation]) {
        self.image = image
        self.membership = membership
        self.representation = representation
        self.locations = locations
    }

    /// An image that nothing belongs to yet.
    public init(new image: Image) { self.init(image: image, membership: nil, representation: nil, locations: []) }
}

/// A location as it stands in an image's list.
public struct ListedLocation: Sendable, Equatable {
    /// The location.
    public let location: Location
    /// Its metadata as the client wrote it, as JSON, where that is more than words by name.
    public var metadata: String?

    /// Statuses in which clients see a location: it serves, or nobody has found anything against it.
    static let shown: Set<LocationStatus> = [.pending, .verifying, .active]
}

/// What a change can do to an image. Everything is as it is now; what is changed is stored.
public struct ImageEdit: Sendable {
    /// One place of the list.
    public enum Entry: Sendable {
        /// A location that is there already; its metadata may have been changed.
        case kept(ListedLocation, words: [String: String])
        /// One to register.
        case new(NewEntry)
    }

    /// A location to register, and what it is to become.
    public struct NewEntry: Sendable {
        /// The id it will have.
        public let id: LocationID
        /// The location.
        public let location: NewLocation
        /// Its metadata as JSON, where that is more than words by name.
        public let metadata: String?
        /// What pins the object, when somebody has just looked at it: the location is then active at once.
        public let validator: Validator?
        /// Whether to activate it at once.
        public let isActive: Bool

        /// An entry with every property given.
        public init(
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
    public var image: Image
    /// What the project that asked makes of it.
    public let membership: Member.Status?
    /// What a plain download gets.
    public let representation: Representation?
    /// The list of its locations. What is left out of it is deleted.
    public var entries: [Entry]
    /// When what is left out of the list is forgotten for good; nil for never.
    public var expiresAt: Date?
    /// What happens to the image's upload; nil for nothing.
    public var upload: UploadStep?

    /// An edit with every property given.
    public init(image: Image, membership: Member.Status?, representation: Representation?, entries: [Entry]) {
        self.image = image
        self.membership = membership
        self.representation = representation
        self.entries = entries
    }
}
