import LocationSelection
import RelayEngine

extension RelayPolicy {
    /// Reads the keys of the section `relay` that limit each download.
    /// - Parameter slab: the size of one memory buffer, of which the window holds two or more.
    mutating func read(_ section: Section, slab: ByteCount) {
        readTimeouts(section)
        readSlow(section)
        readRevisits(section)
        discardLimit = section.bytes("discard_limit", default: discardLimit, in: ByteCount(0) ... .gibibytes(1024))
        tail = section.bytes("tail", default: tail, in: .kibibytes(64) ... .mebibytes(64))
        let twoSlabs = ByteCount(slab.count * 2)
        window = section.bytes("window", default: max(window, Int64(twoSlabs.count)), in: twoSlabs ... .gibibytes(1))
    }

    private mutating func readTimeouts(_ section: Section) {
        stallTimeout = section.duration("stall_timeout", default: stallTimeout, in: .milliseconds(50) ... .seconds(600))
        stallTimeoutLimit = section.duration(
            "stall_timeout_limit", default: max(stallTimeoutLimit, stallTimeout), in: stallTimeout ... .seconds(3600))
        // A download must have time to leave a stalled location before it is given up.
        giveUpAfter = section.duration(
            "give_up_after", default: max(giveUpAfter, stallTimeout * 2),
            in: max(.milliseconds(100), stallTimeout + .milliseconds(100)) ... .seconds(3600))
        clientStallTimeout = section.duration(
            "client_stall_timeout", default: clientStallTimeout, in: .milliseconds(100) ... .seconds(86_400))
        permitTimeout = section.duration(
            "permit_timeout", default: permitTimeout, in: .milliseconds(100) ... .seconds(3600))
    }

    private mutating func readSlow(_ section: Section) {
        slow.factor = section.integer("slow_factor", default: slow.factor, in: 0...1000)
        slow.window = section.duration("slow_window", default: slow.window, in: .milliseconds(100) ... .seconds(600))
        slow.floor = section.bytes("slow_rate", default: slow.floor, in: ByteCount(0) ... .gibibytes(1))
        slow.dwell = section.duration("slow_dwell", default: slow.dwell, in: .zero ... .seconds(3600))
    }

    private mutating func readRevisits(_ section: Section) {
        revisits = section.integer("revisits", default: revisits, in: 0...1000)
        refundAfter = section.bytes("refund_after", default: refundAfter, in: ByteCount(1) ... .gibibytes(1))
        backoff = section.duration("backoff", default: backoff, in: .milliseconds(1) ... .seconds(60))
        backoffLimit = section.duration(
            "backoff_limit", default: max(backoffLimit, backoff), in: backoff ... .seconds(600))
    }
}
