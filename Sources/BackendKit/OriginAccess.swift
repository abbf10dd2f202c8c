package import CurlTransfer
package import NetworkAddress

/// How the servers of a backend are reached: trusted certificates, client certificate, proxy, allowed addresses. The drivers
/// over HTTP share it.
package struct OriginAccess: Sendable {
    /// The path of a PEM file with certificate authorities that replace the system's; nil for the system's.
    package var authorities: String?
    /// The certificate that is sent to the backend's own server on request; nil for none.
    package var clientCertificate: ClientCertificate?
    /// The proxy; nil for none.
    package var proxy: Proxy?
    /// The addresses that may be connected to, in addition to those that the configuration names.
    package var addresses: AddressPolicy

    /// Creates an access without special settings, to ordinary addresses.
    package init(
        authorities: String? = nil, clientCertificate: ClientCertificate? = nil, proxy: Proxy? = nil,
        addresses: AddressPolicy = AddressPolicy()
    ) {
        self.authorities = authorities
        self.clientCertificate = clientCertificate
        self.proxy = proxy
        self.addresses = addresses
    }

    /// Applies the settings to a request.
    /// - Parameters:
    ///   - host: the request's host as written in the configuration; an IPv6 address in brackets.
    ///   - isOwn: whether that is the backend's own server. Only that server receives the client certificate.
    package func apply(to request: inout TransferRequest, host: String, isOwn: Bool = true) {
        request.authorities = authorities
        request.clientCertificate = isOwn ? clientCertificate : nil
        request.proxy = proxy
        // With a proxy, the connection goes to the proxy.
        request.addresses = addresses.permitting(host: proxy?.host ?? host)
    }
}
