import Testing

@testable import Telemetry

@Suite struct MetricsTests {
    @Test("A page names each metric with its help and its type")
    func aPageNamesEachMetricWithItsHelpAndItsType() async {
        let registry = MetricsRegistry()
        let plain = registry.counter("a_total", "Back\\slash,\nline.")
        let labelled = registry.counter("b_bytes_total", "B.", labels: ["backend", "reason"])
        registry.gauge("c", "C.", labels: ["x"]) { [(["1"], 0.25), (["2"], .infinity)] }
        plain.add(2)
        plain.add(-1)
        labelled.add(1.5e9, "north", "say \"hi\"\\")
        #expect(
            await registry.page() == """
                # HELP a_total Back\\\\slash,\\nline.
                # TYPE a_total counter
                a_total 2
                # HELP b_bytes_total B.
                # TYPE b_bytes_total counter
                b_bytes_total{backend="north",reason="say \\"hi\\"\\\\"} 1500000000
                # HELP c C.
                # TYPE c gauge
                c{x="1"} 0.25
                c{x="2"} +Inf

                """)
    }

    @Test("A histogram has a count for each bound and a sum")
    func aHistogramHasACountForEachBoundAndASum() async {
        let registry = MetricsRegistry()
        let gaps = registry.histogram("gap_seconds", "Gaps.", labels: ["reason"], bounds: [0.5, 1])
        for value in [0.25, 0.5, 0.75, 8] { gaps.record(value, "reset") }
        #expect(
            await registry.page() == """
                # HELP gap_seconds Gaps.
                # TYPE gap_seconds histogram
                gap_seconds_bucket{reason="reset",le="0.5"} 2
                gap_seconds_bucket{reason="reset",le="1"} 3
                gap_seconds_bucket{reason="reset",le="+Inf"} 4
                gap_seconds_sum{reason="reset"} 9.5
                gap_seconds_count{reason="reset"} 4

                """)
    }

    @Test("Labels that grow without bound end in one series")
    func labelsThatGrowWithoutBoundEndInOneSeries() async {
        let registry = MetricsRegistry()
        let counter = registry.counter("a_total", "A.", labels: ["x"])
        for value in 0..<5000 { counter.add(1, "\(value)") }
        let lines = await registry.page().split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.count == 501)
        #expect(lines.contains("a_total{x=\"other\"} 4500"))
    }

    @Test("The process reports its own resource use")
    func theProcessReportsItsOwnResourceUse() async {
        let registry = MetricsRegistry()
        ProcessMetrics.register(in: registry)
        let lines = await registry.page().split(separator: "\n").filter { !$0.hasPrefix("#") }
        let values = lines.compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
        #expect(values.count == 4)
        #expect(values.allSatisfy { $0 > 0 })
    }
}
