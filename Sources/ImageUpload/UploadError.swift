package import FormatInspection

/// The reason why an upload failed; one sentence for a person.
package enum UploadError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The upload exceeds the size limit of images.
    case tooLarge(limit: Int64)
    /// The upload exceeds the quota of the image's project.
    case overQuota(room: Int64)
    /// The number of bytes differs from the announced one.
    case wrongSize(announced: Int64, received: Int64)
    /// The bytes do not have the declared format, or refer to other files.
    case refusedFormat(FormatRefusal)
    /// The disk is full.
    case diskFull
    /// A file with that name exists.
    case exists(name: String)
    /// An upload of that name is running.
    case underWay(name: String)
    /// The directory or a file in it can't be used.
    case unusable(deed: String, cause: String)

    /// What failed, where, and the remedy.
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
