import HTTPServing
import HTTPTypes
import ImageModel

/// The properties of the user that the schema-image.json of Glance defines: each takes less than any string, or null as well.
enum DefinedProperty: String, CaseIterable {
    case kernelID = "kernel_id"
    case ramdiskID = "ramdisk_id"
    case instanceUUID = "instance_uuid"
    case architecture
    case distribution = "os_distro"
    case version = "os_version"
    case description

    /// Whether it is another image's id, or null for none.
    var isImageID: Bool { self == .kernelID || self == .ramdiskID }

    /// What it is for.
    var purpose: String {
        switch self {
        case .kernelID: "The image that holds the kernel of a machine image (AMI)"
        case .ramdiskID: "The image that holds the ramdisk of a machine image (AMI)"
        case .instanceUUID: "The instance that the image was made of"
        case .architecture: "The processor architecture that the system in it is for"
        case .distribution: "The distribution of the system in it"
        case .version: "The version of the system in it, in its distributor's words"
        case .description: "What the image is, for people"
        }
    }

    /// Whether a text may be its value.
    func accepts(_ text: String) -> Bool { !isImageID || Self.isUUID(text) }

    /// Groups of 8, 4, 4, 4 and 12 hexadecimal digits, in either case.
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
    /// Sets a property of the user.
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
            throw APIError(.contentTooLarge, "An image has at most 128 properties of its user: remove one first.")
        }
    }
}
