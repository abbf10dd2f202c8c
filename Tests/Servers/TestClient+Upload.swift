package import FaultyOrigin
import Foundation

extension TestClient {
    /// Sends the head of an upload and its first bytes.
    package func beginUpload(of content: PatternedContent, to image: String, sending count: Int64, chunked: Bool = false) throws
    {
        let length = chunked ? "Transfer-Encoding: chunked" : "Content-Length: \(content.size)"
        try sendRaw(
            "PUT /v2/images/\(image)/file HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n\(length)\r\n\r\n"
        )
        try send(content, 0..<count, chunked: chunked)
    }

    /// Sends the rest of the content, and the last chunk of a chunked body.
    package func endUpload(of content: PatternedContent, from offset: Int64, chunked: Bool = false) throws {
        try send(content, offset..<content.size, chunked: chunked)
        if chunked { try sendRaw("0\r\n\r\n") }
    }

    /// Sends a range of the content.
    package func send(_ content: PatternedContent, _ range: Range<Int64>, chunked: Bool = false) throws {
        var offset = range.lowerBound
        while offset < range.upperBound {
            offset += try content.withBytes(at: offset, limit: Int(min(range.upperBound - offset, 65_536))) { bytes in
                if chunked { try sendRaw(String(bytes.count, radix: 16) + "\r\n") }
                try sendRaw(bytes)
                if chunked { try sendRaw("\r\n") }
                return Int64(bytes.count)
            }
        }
    }
}

extension BatonProcess {
    /// Uploads an image and returns the response, also if the server answers and closes the connection before it has all bytes.
    package func upload(_ content: PatternedContent, to image: String, chunked: Bool = false) async throws
        -> TestClient.Response
    {
        let port = port
        return try await onOwnThread {
            let client = try TestClient(port: port)
            do {
                try client.beginUpload(of: content, to: image, sending: content.size, chunked: chunked)
                try client.endUpload(of: content, from: content.size, chunked: chunked)
            } catch is POSIXError {}
            var response = client.receiveHead()
            if response.status != 204 { client.receiveBody(&response) }
            return response
        }
    }
}
