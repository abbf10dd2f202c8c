/// ISO 9660 and UDF. The first 32 KiB are reserved for a boot loader, including a partition table.
enum ISO {
    /// The offset of the identifier, after the type of the first volume descriptor.
    private static let identifier = 0x8001

    static func isISO(_ head: [UInt8]) -> Bool {
        head.has("CD001", at: identifier) || head.has("BEA01", at: identifier) || head.has("NSR02", at: identifier)
            || head.has("NSR03", at: identifier)
    }
}
