import CCurl
import NIOCore

/// One exchange on a `TransferLoop`, what libcurl's callbacks get as their context.
///
/// Not `Sendable`: made, used and released on the loop's thread.
final class Transfer {
    let id: TransferID
    private(set) var handle: EasyHandle
    /// What is asked now: what was asked first, or where an answer sent us.
    private(set) var request: TransferRequest
    unowned let loop: TransferLoop
    let sink: any TransferSink
    /// Where the answer sends us, if that is to be followed.
    private(set) var next: TransferRequest?
    /// The class of an address that could not be connected to because the request's policy refused it.
    var refusedAddress: AddressClass?
    private var parser = HeadParser()
    private(set) var isHeadAccepted = false
    var hasBegun = false
    private(set) var isPaused = false
    private var wantsPause = false
    /// Whether libcurl was stopped because the batch is full, to be let go on when the sink has seen it.
    private var isYielding = false
    /// Bytes since the sink was last told that a batch is over.
    private var batch = 0
    /// Whether bytes came since the sink was last told that a batch is over.
    var isTouched = false

    init(id: TransferID, handle: EasyHandle, request: TransferRequest, loop: TransferLoop, sink: any TransferSink) {
        self.id = id
        self.handle = handle
        self.request = request
        self.loop = loop
        self.sink = sink
    }

    /// The bytes after which other transfers have their turn.
    private static let batchLimit = 1 << 20
    /// libcurl's way to say "stop": any count other than the one given.
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
        batch += bytes.count
        if batch >= Self.batchLimit, !isYielding {
            // libcurl 7.88 reads up to 100 buffers in one go while the socket is readable; a pause makes it stop after this one.
            isYielding = true
            curl_easy_pause(handle.pointer, CURLPAUSE_ALL)
        }
        return bytes.count
    }

    /// Stops reading. Outside libcurl's callbacks it would do so at once, inside one it must wait for its end; so it always waits,
    /// and before there is a head, for that: libcurl forgets a pause when it sends the request.
    func pause() {
        guard !isPaused else { return }
        wantsPause = true
        touch()
    }

    /// Reads on; may call the sink's `bytes` before it returns.
    func resume() {
        wantsPause = false
        guard isPaused else { return }
        isPaused = false
        curl_easy_pause(handle.pointer, CURLPAUSE_CONT)
    }

    /// The sink has seen the batch: pause if it wants that, else go on. May call the sink's `bytes`.
    func endBatch() {
        let hasStopped = isYielding
        isYielding = false
        batch = 0
        if wantsPause, isHeadAccepted {
            wantsPause = false
            isPaused = true
            // PAUSE_ALL: pausing only the receiving side lets libcurl read one more buffer each time.
            if !hasStopped { curl_easy_pause(handle.pointer, CURLPAUSE_ALL) }
        } else if hasStopped {
            curl_easy_pause(handle.pointer, CURLPAUSE_CONT)
        }
    }

    /// Puts it on the list of those that the loop looks at before it sleeps again.
    func touch() {
        guard !isTouched else { return }
        isTouched = true
        loop.touched.append(self)
    }

    /// Takes the place of what was asked before, of which the sink has seen nothing but the beginning.
    func go(to request: TransferRequest, with handle: EasyHandle) {
        (self.request, self.handle) = (request, handle)
        (next, refusedAddress, parser) = (nil, nil, HeadParser())
        wantsPause = wantsPause || isPaused
        (isPaused, isYielding) = (false, false)
    }

    /// Hands the handle to the multi handle's callbacks. The context is unretained: the loop's table holds the transfer until
    /// after `curl_multi_remove_handle`, so no callback outlives it.
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
