import Access
import HTTPServing
import HTTPTypes
import ImageModel

/// The properties of an image that Glance's API defines and clients may change.
enum ImageProperty: String, CaseIterable {
    case name, visibility, protected, owner, tags, locations
    case isHidden = "os_hidden"
    case diskFormat = "disk_format"
    case containerFormat = "container_format"
    case minDisk = "min_disk"
    case minRAM = "min_ram"

    /// The properties that only the service sets.
    static let readOnly: Set<String> = [
        "id", "status", "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value", "created_at", "updated_at", "self",
        "file", "schema", "direct_url", "stores",
    ]

    /// Names that Glance reserves and that are not properties.
    static let reserved: Set<String> = ["location", "deleted", "deleted_at"]

    /// Checks that clients may set a property.
    /// - Throws: `APIError`: 403 for a read-only or reserved name, 400 for one that is too long.
    static func requireWritable(_ name: String) throws(APIError) {
        if readOnly.contains(name) {
            throw APIError(.forbidden, "The property \(name) is read-only: the service sets it.")
        }
        if reserved.contains(name) || name.utf8.starts(with: "os_glance".utf8) {
            throw APIError(.forbidden, "The property \(name.excerpt(64)) is reserved for the service: choose another name.")
        }
        guard RequestText.fits(name, scalars: RequestText.longestName) else {
            throw .badRequest("A property's name has at most \(RequestText.longestName) characters.")
        }
    }
}

extension Image {
    /// Sets a property that Glance defines. `locations` is handled elsewhere.
    mutating func set(_ property: ImageProperty, to value: JSONValue, by caller: Caller) throws(APIError) {
        var field = RequestObject(fields: [property.rawValue: value])
        let name = property.rawValue
        switch property {
        case .name: self.name = try field.string(name)
        case .visibility: try setVisibility(try required(field.choice(name, of: Visibility.self), name), by: caller)
        case .protected: isProtected = try required(field.boolean(name), name)
        case .isHidden: isHidden = try required(field.boolean(name), name)
        case .owner: try setOwner(try field.string(name), by: caller)
        case .tags: try setTags(try required(field.strings(name), name))
        case .diskFormat:
            let format = try field.choice(name, of: DiskFormat.self)
            if format != diskFormat { try requireQueued(name) }
            diskFormat = format
        case .containerFormat:
            let format = try field.choice(name, of: ContainerFormat.self)
            if format != containerFormat { try requireQueued(name) }
            containerFormat = format
        case .minDisk: minDisk = Int(try required(field.integer(name, in: Self.minimums), name))
        case .minRAM: minRAM = Int(try required(field.integer(name, in: Self.minimums), name))
        case .locations: break
        }
    }

    private static let minimums: ClosedRange<Int64> = 0...Int64(Int32.max)

    private func required<Value>(_ value: Value?, _ name: String) throws(APIError) -> Value {
        guard let value else { throw .badRequest("\(name) must not be null.") }
        return value
    }

    private func requireQueued(_ name: String) throws(APIError) {
        guard status == .queued || status == .importing else {
            throw APIError(
                .forbidden, "\(name) can be changed only while the image is queued; it is \(status.rawValue).")
        }
    }

    mutating func setVisibility(_ visibility: Visibility, by caller: Caller) throws(APIError) {
        let isPublic = visibility == .public || self.visibility == .public
        guard visibility == self.visibility || !isPublic || caller.mayPublicize else {
            throw APIError(.forbidden, "Only administrators may set or withdraw the visibility public.")
        }
        self.visibility = visibility
    }

    private mutating func setOwner(_ owner: String?, by caller: Caller) throws(APIError) {
        guard owner == self.owner || caller.isAdmin else {
            throw APIError(.forbidden, "Only administrators may change the owner of an image.")
        }
        self.owner = owner
    }

    /// Sets the tags, without duplicates and in the given order.
    /// - Throws: `APIError` 413 for more than 128.
    mutating func setTags(_ tags: [String]) throws(APIError) {
        var seen: Set<String> = []
        self.tags = tags.filter { seen.insert($0).inserted }
        guard self.tags.count <= 128 else { throw APIError(.contentTooLarge, "An image has at most 128 tags.") }
    }
}

/// The custom properties that Glance's schema-image.json defines. Each accepts fewer values than other strings, or null as
/// well.
enum DefinedProperty: String, CaseIterable {
    case kernelID = "kernel_id"
    case ramdiskID = "ramdisk_id"
    case instanceUUID = "instance_uuid"
    case architecture
    case distribution = "os_distro"
    case version = "os_version"
    case description

    /// Whether the value is the id of another image, or null.
    var isImageID: Bool { self == .kernelID || self == .ramdiskID }

    /// The description in the schema.
    var purpose: String {
        switch self {
        case .kernelID: "The image that holds the kernel of a machine image (AMI)"
        case .ramdiskID: "The image that holds the ramdisk of a machine image (AMI)"
        case .instanceUUID: "The instance from which the image was created"
        case .architecture: "The processor architecture of the operating system in the image"
        case .distribution: "The distribution of the operating system in the image"
        case .version: "The version of the operating system, as its distributor specifies it"
        case .description: "A description of the image for people"
        }
    }

    /// Whether a text is a valid value.
    func accepts(_ text: String) -> Bool { !isImageID || Self.isUUID(text) }

    /// Whether a text has groups of 8, 4, 4, 4 and 12 hexadecimal digits, in either case.
    private static func isUUID(_ text: String) -> Bool {
        let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return groups.map(\.count) == [8, 4, 4, 4, 12]
            && groups.joined().allSatisfy { digit in
                switch digit {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                    UInt8(ascii: "A")...UInt8(ascii: "F"):
                    true
                default: false
                }
            }
    }
}

extension Image {
    /// Sets a custom property.
    /// - Throws: `APIError`: 400 for an invalid value, 413 for more than 128 properties.
    mutating func setProperty(_ name: String, to value: JSONValue) throws(APIError) {
        let defined = DefinedProperty(rawValue: name)
        switch value {
        case .null where defined?.isImageID == true: properties.updateValue(nil, forKey: name)
        case .string(let text):
            guard RequestText.fits(text, bytes: RequestText.largestValue) else {
                throw .badRequest("\(name.excerpt(64)) is longer than \(RequestText.largestValue) bytes.")
            }
            guard defined?.accepts(text) ?? true else { throw .badRequest("\(name) must be an image's id, a UUID, or null.") }
            properties.updateValue(text, forKey: name)
        default:
            let alternative = defined?.isImageID == true ? " or null" : ""
            throw .badRequest("\(name.excerpt(64)) must be a string\(alternative).")
        }
        guard properties.count <= 128 else {
            throw APIError(.contentTooLarge, "An image has at most 128 custom properties: remove one first.")
        }
    }
}
