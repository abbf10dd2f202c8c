import Testing

@testable import HTTPServing

@Suite struct QueryItemsTests {
    @Test("Names and values are decoded in order")
    func namesAndValuesAreDecodedInOrder() {
        let items = QueryItems("name=a+b%2Bc&tag=x&tag=%C3%A4&flag&bad=%zz%4&=v")
        #expect(items.items.map(\.name) == ["name", "tag", "tag", "flag", "bad", ""])
        #expect(items["name"] == "a b+c" && items["flag"] == "" && items["bad"] == "%zz%4" && items["none"] == nil)
        #expect(items.all("tag") == ["x", "ä"])
        #expect(QueryItems(nil).items.isEmpty)
    }

    @Test("A query that is written is read back unchanged")
    func aQueryThatIsWrittenIsReadBack() {
        let items = QueryItems([("a b", "c&d=e+f"), ("ü", "100%"), ("tag", "~-._")])
        #expect(QueryItems(items.text).items.map { [$0.name, $0.value] } == items.items.map { [$0.name, $0.value] })
        #expect(QueryItems("a=1&b=2&a=3").without("a").text == "b=2")
    }
}
