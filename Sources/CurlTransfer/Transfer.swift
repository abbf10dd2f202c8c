internal import CCurl
internal import NIOCore

/// One exchange on a `TransferLoop`, what libcurl's callbacks get as their context.
///
/// Not `Sendable`: made, used and released on the loop's thread.
final class Transfer {
    let id: TransferID
    let handle: EasyHandle
    unowned let loop: TransferLoop
    let sink: any TransferSink
    private var parser = HeadParser()
    private(set) var isHeadAccepted = false
    var hasBegun = false
    var isPaused = false
    var wantsPause = false
    /// Whether bytes came since the sink was last told that a batch is over.
    var isTouched = false

    init(id: TransferID, handle: EasyHandle, loop: TransferLoop, sink: any TransferSink) {
        self.id = id
        self.handle = handle
        self.loop = loop
        self.sink = sink
    }

    /// libcurl's way to say "stop": any count other than the one given.
    private static let refuse = -1

    func header(_ line: UnsafeRawBufferPointer) -> Int {
        guard let head = parser.take(line) else { return line.count }
        touch()
        isHeadAccepted = sink.transfer(id, head: head)
        return isHeadAccepted ? line.count : Self.refuse
    }

    func body(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard isHeadAccepted else { return Self.refuse }
        sink.transfer(id, bytes: bytes)
        touch()
        return bytes.count
    }

    /// Puts it on the list of those that the loop looks at before it sleeps again.
    func touch() {
        guard !isTouched else { return }
        isTouched = true
        loop.touched.append(self)
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
    }
}
