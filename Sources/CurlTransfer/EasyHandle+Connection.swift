import CCurl
import Glibc

// Options for TLS, the proxy and the addresses of connections.
extension EasyHandle {
    func prepareTLS(_ request: TransferRequest) throws(TransferError) {
        try set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)  // at least
        if let authorities = request.authorities {
            try set(CURLOPT_CAINFO, authorities)
            try check(baton_curl_set_string(pointer, CURLOPT_CAPATH, nil))  // Debian's directory would count beside it
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
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)  // the proxy's "200" is not the answer's head
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
