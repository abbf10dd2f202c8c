import CCrypto
import CCurl
import Glibc

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
