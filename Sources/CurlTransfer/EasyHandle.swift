import CCrypto
import CCurl
import Glibc

/// One easy handle of libcurl, with the options that all transfers share and those of one request.
///
/// Confined to the thread that runs the transfer.
final class EasyHandle {
    let pointer: OpaqueHandle
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var body: [UInt8] = []

    /// Swift imports `CURL *` as `void *`.
    typealias OpaqueHandle = UnsafeMutableRawPointer

    /// - Throws: `TransferError` of kind `local` if libcurl has no memory for a handle.
    init() throws(TransferError) {
        _ = CurlGlobal.ready
        guard let pointer = curl_easy_init() else {
            throw TransferError(.local, message: "libcurl could not create a handle: out of memory")
        }
        self.pointer = pointer
    }

    deinit {
        curl_easy_cleanup(pointer)
        curl_slist_free_all(headerList)
    }

    /// Resets the handle and sets the options of `request`.
    /// - Parameter url: the URL for libcurl: the request's own, or the name of an opened file.
    func prepare(_ request: TransferRequest, url: String) throws(TransferError) {
        curl_easy_reset(pointer)
        curl_slist_free_all(headerList)
        headerList = nil
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_QUICK_EXIT, 1)  // otherwise removing a handle waits for its name resolution
        try set(CURLOPT_BUFFERSIZE, 512 << 10)  // fewer calls per GiB than with 16 KiB
        try set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)  // libcurl 7.88 reports truncated HTTP/2 bodies as complete
        try set(CURLOPT_TCP_NODELAY, 1)
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try set(CURLOPT_PROXY, "")  // ignores the proxy of the environment
        try set(CURLOPT_NOPROXY, "")  // ignores the exceptions of the environment
        try set(CURLOPT_NETRC, 0)
        try set(CURLOPT_PATH_AS_IS, 1)  // dots and slashes may be part of a key, and the path is signed as written
        try set(CURLOPT_URL, url)
        try prepareMethod(request)
        if let range = request.range { try set(CURLOPT_RANGE, "\(range.lowerBound)-\(range.upperBound)") }
        switch request.source {
        case .url:
            try set(CURLOPT_PROTOCOLS_STR, "http,https")
            try set(CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(request.connectTimeout / .milliseconds(1))))
            try prepareHeaders(request)
            if request.isFresh { try set(CURLOPT_FRESH_CONNECT, 1) }
            if let socketFile = request.socketFile { try set(CURLOPT_UNIX_SOCKET_PATH, socketFile) }
            try prepareTLS(request)
            try prepareProxy(request)
        case .file:
            try set(CURLOPT_PROTOCOLS_STR, "file")
        }
    }

    private func prepareMethod(_ request: TransferRequest) throws(TransferError) {
        switch request.method {
        case .get: break
        case .head: try set(CURLOPT_NOBODY, 1)
        case .send(let method, let body):
            self.body = body
            try set(CURLOPT_CUSTOMREQUEST, method)
            try check(baton_curl_set_offset(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
            // COPYPOSTFIELDS copies, so the array's memory has to be valid only during this call.
            try check(
                self.body.withUnsafeMutableBytes { baton_curl_set_pointer(pointer, CURLOPT_COPYPOSTFIELDS, $0.baseAddress) }
            )
        }
    }

    private func prepareHeaders(_ request: TransferRequest) throws(TransferError) {
        var lines = request.headers.map { "\($0.name): \($0.value)" }
        if !request.headers.contains(where: { $0.name.lowercased() == "accept-encoding" }) {
            lines.append("Accept-Encoding: identity")
        }
        if request.isFresh { lines.append("Cache-Control: no-cache") }
        lines.append("Expect:")  // sends small bodies without waiting for 100 Continue
        for line in lines {
            guard let longer = curl_slist_append(headerList, line) else {
                throw TransferError(.local, message: "no memory for header fields")
            }
            headerList = longer
        }
        try check(baton_curl_set_list(pointer, CURLOPT_HTTPHEADER, headerList))
    }

    /// Sets libcurl's write and header callbacks. `context` must outlive the transfer.
    func setCallbacks(
        context: UnsafeMutableRawPointer, body: @escaping DataCallback, header: DataCallback?
    ) throws(TransferError) {
        try check(baton_curl_set_data_callback(pointer, CURLOPT_WRITEFUNCTION, body))
        try check(baton_curl_set_pointer(pointer, CURLOPT_WRITEDATA, context))
        try check(baton_curl_set_pointer(pointer, CURLOPT_PRIVATE, context))
        guard let header else { return }
        try check(baton_curl_set_data_callback(pointer, CURLOPT_HEADERFUNCTION, header))
        try check(baton_curl_set_pointer(pointer, CURLOPT_HEADERDATA, context))
    }

    typealias DataCallback =
        @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int

    func set(_ option: CURLoption, _ value: Int) throws(TransferError) {
        try check(baton_curl_set_long(pointer, option, value))
    }

    func set(_ option: CURLoption, _ value: String) throws(TransferError) {
        try check(baton_curl_set_string(pointer, option, value))
    }

    func check(_ code: CURLcode) throws(TransferError) {
        if let error = TransferError(code) {
            throw TransferError(.local, message: "libcurl refused an option: \(error.message)")
        }
    }
}

// Options for TLS, the proxy and the addresses of connections.
extension EasyHandle {
    func prepareTLS(_ request: TransferRequest) throws(TransferError) {
        try set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)  // the minimum
        if let authorities = request.authorities {
            try set(CURLOPT_CAINFO, authorities)
            try check(baton_curl_set_string(pointer, CURLOPT_CAPATH, nil))  // otherwise Debian's directory is trusted as well
        }
        if let certificate = request.clientCertificate {
            try set(CURLOPT_SSLCERT, certificate.certificateFile)
            try set(CURLOPT_SSLKEY, certificate.keyFile)
            if let passphrase = certificate.passphrase { try set(CURLOPT_KEYPASSWD, passphrase) }
        }
    }

    func prepareProxy(_ request: TransferRequest) throws(TransferError) {
        guard let proxy = request.proxy else { return }
        try set(CURLOPT_PROXY, proxy.url)
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)  // otherwise the proxy's 200 is taken for the response's head
        guard let credentials = proxy.credentials else { return }
        try set(CURLOPT_PROXYUSERNAME, credentials.user)
        try set(CURLOPT_PROXYPASSWORD, credentials.password)
    }

    /// Calls `opening` for every address before a socket is opened, and `using` for every connection, new or reused, before a
    /// request is sent on it. `context` must outlive the transfer.
    func setAddressFilter(
        context: UnsafeMutableRawPointer, opening: @escaping baton_curl_opensocket_callback,
        using: @escaping baton_curl_prereq_callback
    ) throws(TransferError) {
        try check(baton_curl_set_opensocket_callback(pointer, opening, context))
        try check(baton_curl_set_prereq_callback(pointer, using, context))
    }
}

/// The one-time initialization of libcurl in the process.
enum CurlGlobal {
    /// Must be accessed before the first handle is created.
    static let ready: Void = {
        // OpenSSL's exit handler would free its tables while threads still run. OPENSSL_INIT_NO_ATEXIT leaves it out (see its
        // documentation), and must be set before libcurl initializes OpenSSL its own way.
        OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        // CURLOPT_NOSIGNAL keeps libcurl from blocking SIGPIPE, which OpenSSL's writes can raise.
        signal(SIGPIPE, SIG_IGN)
    }()
}
