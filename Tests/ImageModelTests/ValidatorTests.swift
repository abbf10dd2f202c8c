import ImageModel
import Testing

@Suite struct ValidatorTests {
    @Test("A weak entity tag equals the strong one with the same text")
    func weakEqualsStrong() {
        #expect(Validator("W/\"v\"") == Validator("\"v\""))
        #expect(Validator("W/\"v\"") == Validator("W/\"v\""))
        #expect(Set([Validator("W/\"v\""), Validator("\"v\"")]).count == 1)
        #expect(Validator("W/\"v\"").text == "W/\"v\"", "the text stays the server's")
    }

    @Test(
        "Validators that differ in one character are different",
        arguments: [
            ("\"v1\"", "\"v2\""), ("W/\"v1\"", "\"v2\""), ("W/v", "v"), ("W/\"W/v\"", "\"v\""), ("v", "\"v\""),
            ("last-modified Wed", "Wed"), ("inode 12, written 3.4", "inode 12, written 3.5"),
        ])
    func different(one: String, other: String) { #expect(Validator(one) != Validator(other)) }
}
