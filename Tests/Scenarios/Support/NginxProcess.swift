import FaultyOrigin
import Foundation
import Glibc

/// A real nginx that serves the files of a directory over TLS.
final class NginxProcess: Sendable {
    let port: Int
    private let processID: Int32

    /// - Parameters:
    ///   - directory: the directory that nginx serves and that contains its configuration and log.
    ///   - directives: the directives of the `server` block, without `listen`.
    ///   - port: the listening port; a free one by default.
    init(_ directory: TestDirectory, directives: String, port given: Int? = nil) async throws {
        port = try given ?? FaultyOrigin.refusedPort()
        let home = directory.path
        let pidFile = directory.file("nginx.pid")
        let file = try directory.write(
            """
            master_process off; pid \(pidFile); error_log \(home)/nginx-error.log; user root;
            events {}
            http {
                access_log off; default_type application/octet-stream; client_body_temp_path \(home)/body;
                proxy_temp_path \(home)/proxy; fastcgi_temp_path \(home)/fastcgi; uwsgi_temp_path \(home)/uwsgi;
                scgi_temp_path \(home)/scgi;
                server { listen 127.0.0.1:\(port) ssl; root \(home); \(directives) }
            }
            """, to: "nginx.conf")
        // The command returns when nginx listens and has moved to the background.
        let started = try await BatonCommand.run(["-e", "\(home)/nginx-error.log", "-c", file], program: "/usr/sbin/nginx")
        let text = (try? String(contentsOfFile: pidFile, encoding: .utf8)) ?? ""
        guard started.status == 0, let number = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw StartFailed(reason: started.errors)
        }
        processID = number
        Leftovers.add(self) { kill(number, SIGKILL) }
    }

    struct StartFailed: Error {
        let reason: String
    }

    deinit {
        Leftovers.remove(self)
        kill(processID, SIGKILL)
    }
}
