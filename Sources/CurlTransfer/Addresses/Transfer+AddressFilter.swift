import CCurl
import Glibc
import NetworkAddress

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
                    "the name leads to an address of the class \(refusedAddress.rawValue), which allow_addresses does not name")
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
    /// The address that a resolved name led to; nil for anything but IPv4 and IPv6.
    /// - Parameter length: how many bytes there are behind the pointer.
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
