import CCurl
import Glibc
import NIOCore
import NetworkAddress

/// One exchange on a `TransferLoop`, and the context of libcurl's callbacks.
///
/// Not `Sendable`: created, used and released on the loop's thread.
final class Transfer {
    let id: TransferID
    private(set) var handle: EasyHandle
    /// The current request: the original one, or the one that a redirect led to.
    private(set) var request: TransferRequest
    unowned let loop: TransferLoop
    let sink: any TransferSink
    /// The request to follow after a redirect; nil if there is none.
    private(set) var next: TransferRequest?
    /// Whether libcurl reads, and if not, until when. A sink's wish to pause waits for the end of the batch and for a head.
    private enum Flow {
        /// Bytes come; `batch` is their number in this batch. Goes to: batchFull, paused.
        case reading(batch: Int, wantsPause: Bool)
        /// libcurl is paused until the sink has processed the batch. Goes to: reading, paused.
        case batchFull(wantsPause: Bool)
        /// libcurl is paused until the sink resumes the transfer. Goes to: reading.
        case paused
    }

    /// The class of the address that the request's policy refused; nil if it refused none.
    private var refusedAddress: AddressClass?
    private var parser = HeadParser()
    private var isHeadAccepted = false
    private var hasBegun = false
    private var flow = Flow.reading(batch: 0, wantsPause: false)
    /// Whether the transfer is on the loop's list of transfers to settle.
    var isTouched = false

    init(id: TransferID, handle: EasyHandle, request: TransferRequest, loop: TransferLoop, sink: any TransferSink) {
        self.id = id
        self.handle = handle
        self.request = request
        self.loop = loop
        self.sink = sink
    }

    /// The number of bytes after which other transfers get their turn.
    private static let batchLimit = 1 << 20
    /// The return value that stops libcurl: any count other than the one it passed.
    private static let refuse = -1

    func header(_ line: UnsafeRawBufferPointer) -> Int {
        guard let head = parser.take(line) else { return line.count }
        next = request.redirect?(head)
        guard next == nil else { return Self.refuse }
        touch()
        isHeadAccepted = sink.transfer(id, head: head)
        return isHeadAccepted ? line.count : Self.refuse
    }

    func body(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard isHeadAccepted else { return Self.refuse }
        sink.transfer(id, bytes: bytes)
        touch()
        if case .reading(let batch, let wantsPause) = flow {
            if batch + bytes.count < Self.batchLimit {
                flow = .reading(batch: batch + bytes.count, wantsPause: wantsPause)
            } else {
                // libcurl 7.88 reads up to 100 buffers in one call while the socket is readable; a pause stops it after this
                // one.
                flow = .batchFull(wantsPause: wantsPause)
                curl_easy_pause(handle.pointer, CURLPAUSE_ALL)
            }
        }
        return bytes.count
    }

    /// Pauses at the end of the batch. Outside its callbacks libcurl would pause at once, and inside one it can't pause before
    /// it returns. Deferring always gives both cases the same behaviour. Before there is a head, the pause waits for it:
    /// libcurl drops a pause when it sends the request.
    func pause() {
        switch flow {
        case .reading(let batch, _): flow = .reading(batch: batch, wantsPause: true)
        case .batchFull: flow = .batchFull(wantsPause: true)
        case .paused: return
        }
        touch()
    }

    /// Resumes reading. May call the sink's `bytes` before it returns.
    func resume() {
        switch flow {
        case .reading(let batch, _): flow = .reading(batch: batch, wantsPause: false)
        case .batchFull: flow = .batchFull(wantsPause: false)
        case .paused:
            flow = .reading(batch: 0, wantsPause: false)
            curl_easy_pause(handle.pointer, CURLPAUSE_CONT)
        }
    }

    /// Ends a batch that the sink has processed: pauses if the sink wants that, else continues. May call the sink's `bytes`.
    func endBatch() {
        switch flow {
        case .reading(_, wantsPause: true) where isHeadAccepted:
            flow = .paused
            // PAUSE_ALL: if only the receiving side is paused, libcurl reads one more buffer each time.
            curl_easy_pause(handle.pointer, CURLPAUSE_ALL)
        case .batchFull(wantsPause: true) where isHeadAccepted:
            flow = .paused
        case .reading(_, let wantsPause):
            flow = .reading(batch: 0, wantsPause: wantsPause)
        case .batchFull(let wantsPause):
            flow = .reading(batch: 0, wantsPause: wantsPause)
            curl_easy_pause(handle.pointer, CURLPAUSE_CONT)
        case .paused: break
        }
    }

    /// Notes that the transfer has its connection.
    /// - Returns: whether that is new.
    func begin() -> Bool {
        defer { hasBegun = true }
        return !hasBegun
    }

    /// Adds the transfer to the list that the loop settles before it sleeps again.
    func touch() {
        guard !isTouched else { return }
        isTouched = true
        loop.touched.append(self)
    }

    /// Replaces the request after a redirect. The sink has seen only the beginning of the transfer.
    func go(to request: TransferRequest, with handle: EasyHandle) {
        (self.request, self.handle) = (request, handle)
        (next, refusedAddress, parser) = (nil, nil, HeadParser())
        switch flow {
        case .reading(_, let wantsPause), .batchFull(let wantsPause): flow = .reading(batch: 0, wantsPause: wantsPause)
        case .paused: flow = .reading(batch: 0, wantsPause: true)
        }
    }

    /// Registers the handle's callbacks. The context is unretained: the loop's table holds the transfer until after
    /// `curl_multi_remove_handle`, so no callback outlives it.
    func attachCallbacks() throws(TransferError) {
        try handle.setCallbacks(
            context: Unmanaged.passUnretained(self).toOpaque(),
            body: { bytes, size, count, context in
                guard let context, let bytes else { return 0 }
                return Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef {
                    $0.body(UnsafeRawBufferPointer(start: bytes, count: size * count))
                }
            },
            header: { bytes, size, count, context in
                guard let context, let bytes else { return 0 }
                return Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef {
                    $0.header(UnsafeRawBufferPointer(start: bytes, count: size * count))
                }
            }
        )
        if request.addresses != nil { try attachAddressFilter() }
    }
}

// Checks every address against the request's policy, after name resolution and before anything is sent.
extension Transfer {
    /// Installs the filter with `self` as libcurl's context; see `attachCallbacks`.
    func attachAddressFilter() throws(TransferError) {
        try handle.setAddressFilter(
            context: Unmanaged.passUnretained(self).toOpaque(),
            opening: { context, _, address in
                guard let context, let address else { return -1 }
                return Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef { transfer in
                    let peer = IPAddress(baton_curl_socket_address(address), length: Int(address.pointee.addrlen))
                    guard transfer.mayUse(peer) else { return -1 }
                    let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
                    return socket(address.pointee.family, kind, address.pointee.protocol)
                }
            },
            using: { context, peer, _, _, _ in
                guard let context, let peer else { return CURL_PREREQFUNC_ABORT }
                return Unmanaged<Transfer>.fromOpaque(context)._withUnsafeGuaranteedRef {
                    $0.mayUse(IPAddress(String(cString: peer))) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
                }
            })
    }

    /// Whether an address may be connected to; records the class if not.
    private func mayUse(_ address: IPAddress?) -> Bool {
        guard let policy = request.addresses else { return true }
        guard let address else { return false }
        refusedAddress = policy.refusal(of: address)
        return refusedAddress == nil
    }

    /// The error that a result code of libcurl means for this transfer; nil for success.
    func error(behind code: CURLcode) -> TransferError? {
        guard let error = TransferError(code) else { return nil }
        if let refusedAddress, [.connect, .connectTimeout, .other].contains(error.kind) {
            return TransferError(
                .refusedAddress,
                message:
                    "the host name resolves to a \(refusedAddress.rawValue) address, which allow_addresses does not permit")
        }
        var status = 0
        if request.proxy != nil, baton_curl_get_long(handle.pointer, CURLINFO_HTTP_CONNECTCODE, &status) == CURLE_OK,
            status >= 300
        {
            return TransferError(.connect, message: "the proxy refused to connect, with status \(status)")
        }
        return error
    }
}

extension IPAddress {
    /// The address in a socket address; nil for anything but IPv4 and IPv6.
    /// - Parameter length: the number of bytes behind the pointer.
    fileprivate init?(_ address: UnsafePointer<sockaddr>?, length: Int) {
        guard let address else { return nil }
        switch Int32(address.pointee.sa_family) {
        case AF_INET where length >= MemoryLayout<sockaddr_in>.size:
            let four = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr
            self.init(networkOrder: withUnsafeBytes(of: four) { Array($0) })
        case AF_INET6 where length >= MemoryLayout<sockaddr_in6>.size:
            let sixteen = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self).sin6_addr
            self.init(networkOrder: withUnsafeBytes(of: sixteen) { Array($0) })
        default: return nil
        }
    }
}
