import ChaosPlan
import FaultyOrigin
import Foundation
import Glibc
import Servers

/// A real nginx behind a relay in user space that delays, limits or swallows what passes, and a good origin behind them.
struct WeatherPlace: Place {
    let good: OriginsPlace
    let server: NginxServer
    let weather: Weather

    init(good: OriginsPlace) async throws {
        self.good = good
        server = try await NginxServer()
        weather = try Weather(to: server.port)
    }

    var backends: [String: String] { ["weather": #"driver: http, url: "http://127.0.0.1:\#(weather.port)/""#] }

    func place(_ content: PatternedContent, as name: String, lane: Int) throws -> [String] {
        _ = try server.serve(content, as: name)
        return ["http://127.0.0.1:\(weather.port)/\(name)", good.place(content, as: name, lane: lane)[0]]
    }

    func strike(_ plan: PlannedDownload, _ image: StoredImage) {
        switch plan.fault {
        case .weatherSlow: weather.set(.slow(bytesPerSecond: 32 << 20))
        case .weatherPause:
            weather.set(.silent)
            Thread.detachNewThread { [weather] in
                usleep(300_000)
                weather.set(.clear)
            }
        default: weather.set(.silent)
        }
    }

    func repair(_ plan: PlannedDownload, _ image: StoredImage) { weather.set(.clear) }
}
