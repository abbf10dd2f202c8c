package import CurlTransfer

/// How the servers of a backend are reached: what verifies them, what we show them, what stands between, where they may be. The
/// drivers over HTTP have it in common.
package struct ServerAccess: Sendable {
    /// A file of certificates to check the servers' with, in place of the system's; nil for those.
    package var authorities: String?
    /// What is shown to the backend's own server when it asks for a certificate; nil for nothing.
    package var clientCertificate: ClientCertificate?
    /// The proxy to go through; nil for none.
    package var proxy: Proxy?
    /// Which addresses may be connected to, beside those that the configuration spells out.
    package var addresses: AddressPolicy

    /// The access that needs nothing, to ordinary addresses.
    package init(
        authorities: String? = nil, clientCertificate: ClientCertificate? = nil, proxy: Proxy? = nil,
        addresses: AddressPolicy = AddressPolicy()
    ) {
        self.authorities = authorities
        self.clientCertificate = clientCertificate
        self.proxy = proxy
        self.addresses = addresses
    }

    /// Lays it upon a request.
    /// - Parameters:
    ///   - host: the request's, as an operator wrote it into the configuration; an IPv6 address in brackets.
    ///   - isOwn: whether that is the backend's own server, which alone sees our certificate.
    package func apply(to request: inout TransferRequest, host: String, isOwn: Bool = true) {
        request.authorities = authorities
        request.clientCertificate = isOwn ? clientCertificate : nil
        request.proxy = proxy
        // What is connected to is the proxy, where there is one.
        request.addresses = addresses.permitting(host: proxy?.host ?? host)
    }
}
