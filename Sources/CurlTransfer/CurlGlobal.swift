import CCrypto
import CCurl
import Glibc

/// Prepares the process for libcurl, once.
enum CurlGlobal {
    /// Must be looked at before the first handle is made.
    static let ready: Void = {
        // OpenSSL's exit handler would free its tables under threads that still run: leave it out (its own documentation of
        // OPENSSL_INIT_NO_ATEXIT), and do so before libcurl initialises it its own way.
        OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        // CURLOPT_NOSIGNAL keeps libcurl from blocking SIGPIPE itself; OpenSSL's writes can raise it.
        signal(SIGPIPE, SIG_IGN)
    }()
}
