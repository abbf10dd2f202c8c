package import FormatInspection

/// Why an upload did not become a file; one sentence for a person.
package enum UploadError: Error, Sendable, Equatable, CustomStringConvertible {
    /// More bytes came than an image may have.
    case tooLarge(limit: Int64)
    /// More bytes came than the image's project may still upload.
    case overQuota(room: Int64)
    /// Another number of bytes came than was announced.
    case wrongSize(announced: Int64, received: Int64)
    /// The bytes are not what the image is declared as, or refer to other files.
    case refusedFormat(FormatRefusal)
    /// No room on the disk.
    case diskFull
    /// There is a file of that name already.
    case exists(name: String)
    /// An upload of that name runs already.
    case underWay(name: String)
    /// The directory or a file in it can't be used.
    case unusable(deed: String, cause: String)

    /// What, where, what to do.
    package var description: String {
        switch self {
        case .tooLarge(let limit):
            "The image is larger than the \(limit) bytes that uploads may have: ask the operator to raise uploads.max_size."
        case .overQuota(let room):
            "The image is larger than the \(room) bytes that its project may still upload: delete images, or ask the operator to raise "
                + "quotas.bytes."
        case .wrongSize(let announced, let received):
            "\(received) bytes came where \(announced) were announced: upload the image again."
        case .refusedFormat(let refusal): refusal.description
        case .diskFull: "The disk that uploads go to is full: ask the operator to make room, then upload the image again."
        case .exists(let name):
            "The upload directory has a file \(name) already, which is not overwritten: the operator should look at it."
        case .underWay(let name): "An upload of \(name) runs already: wait for its end."
        case .unusable(let deed, let cause):
            "The upload directory can't be used (\(deed): \(cause)): the operator should check it and its permissions."
        }
    }
}
