import HTTPServing
import HTTPTypes
import Hummingbird
import ImageModel

/// The JSON schemas of Glance's documents. python-glanceclient builds its models from them, so every property of a document
/// must be in its schema.
enum SchemaDocuments {
    static let byName: [String: JSONValue] = [
        "image": image, "images": collection(of: image, "images"), "member": member,
        "members": collection(of: member, "members"), "task": task, "tasks": collection(of: taskStub, "tasks"),
    ]

    private static let uuid =
        "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"

    private static let image: JSONValue = [
        "name": "image",
        "properties": .object(imageProperties.merging(definedProperties) { base, _ in base }),
        "additionalProperties": ["type": "string"],
        "links": [
            ["rel": "self", "href": "{self}"], ["rel": "enclosure", "href": "{file}"],
            ["rel": "describedby", "href": "{schema}"],
        ],
    ]

    private static var imageProperties: [String: JSONValue] {
        [
            "id": ["type": "string", "pattern": .string(uuid), "description": "The image's id"],
            "name": optionalText("A name for people", limit: 255),
            "status": [
                "type": "string", "readOnly": true, "description": "Whether it can be downloaded",
                "enum": [
                    "queued", "saving", "active", "killed", "deleted", "uploading", "importing", "pending_delete",
                    "deactivated",
                ],
            ],
            "visibility": [
                "type": "string", "description": "Who may see the image",
                "enum": .array(Image.Visibility.allCases.map { .string($0.rawValue) }),
            ],
            "protected": ["type": "boolean", "description": "Whether it must not be deleted"],
            "os_hidden": ["type": "boolean", "description": "Whether lists omit the image"],
            "checksum": readOnly(optionalText("The MD5 of the image's bytes", limit: 32)),
            "os_hash_algo": readOnly(optionalText("The algorithm of os_hash_value", limit: 64)),
            "os_hash_value": readOnly(optionalText("The strong digest of the image's bytes, in hexadecimal", limit: 128)),
            "owner": optionalText("The project that owns it", limit: 255),
            "size": readOnly(["type": ["null", "integer"], "description": "Its size in bytes"]),
            "virtual_size": readOnly(["type": ["null", "integer"], "description": "The size of the disk in it, in bytes"]),
            "container_format": choice("The format of the container around the disk", ContainerFormat.allCases.map(\.rawValue)),
            "disk_format": choice("The format of the disk", DiskFormat.allCases.map(\.rawValue)),
            "created_at": readOnly(["type": "string", "description": "When it was created"]),
            "updated_at": readOnly(["type": "string", "description": "When it was last changed"]),
            "tags": [
                "type": "array", "description": "Tags for finding the image", "items": ["type": "string", "maxLength": 255],
            ],
            "direct_url": readOnly(["type": "string", "description": "The URL of the image's bytes"]),
            "min_ram": ["type": "integer", "description": "The memory that it needs to boot, in MiB"],
            "min_disk": ["type": "integer", "description": "The disk that it needs to boot, in GiB"],
            "self": readOnly(["type": "string", "description": "The path of this document"]),
            "file": readOnly(["type": "string", "description": "The path of its bytes"]),
            "stores": readOnly(["type": "string", "description": "Not used"]),
            "schema": readOnly(["type": "string", "description": "The path of this schema"]),
            "locations": ["type": "array", "description": "The locations of the image's bytes", "items": location],
        ]
    }

    /// The schemas of the defined custom properties. `is_base: false` tells clients that a property can be removed.
    private static var definedProperties: [String: JSONValue] {
        Dictionary(
            uniqueKeysWithValues: DefinedProperty.allCases.map { property in
                var schema: [String: JSONValue] = [
                    "type": property.isImageID ? ["null", "string"] : "string", "is_base": false,
                    "description": .string(property.purpose),
                ]
                if property.isImageID { schema["pattern"] = .string(uuid) }
                return (property.rawValue, .object(schema))
            })
    }

    private static let location: JSONValue = [
        "type": "object",
        "properties": [
            "url": ["type": "string", "maxLength": 255],
            "metadata": ["type": "object"],
            "validation_data": [
                "type": "object", "writeOnly": true, "additionalProperties": false,
                "description": "The digests that the bytes must have",
                "properties": [
                    "checksum": ["type": "string", "minLength": 32, "maxLength": 32],
                    "os_hash_algo": ["type": "string", "maxLength": 64],
                    "os_hash_value": ["type": "string", "maxLength": 128],
                ],
                "required": ["os_hash_algo", "os_hash_value"],
            ],
        ],
        "required": ["url", "metadata"],
    ]

    private static let member: JSONValue = [
        "name": "member",
        "properties": [
            "member_id": ["type": "string", "description": "The project's id"],
            "image_id": ["type": "string", "pattern": .string(uuid), "description": "The image's id"],
            "status": [
                "type": "string", "description": "Whether the project accepted the image",
                "enum": .array(Member.Status.allCases.map { .string($0.rawValue) }),
            ],
            "created_at": ["type": "string", "description": "When it was shared"],
            "updated_at": ["type": "string", "description": "When the status was last set"],
            "schema": readOnly(["type": "string"]),
        ],
    ]

    private static let taskStubProperties: [String: JSONValue] = [
        "id": ["type": "string", "pattern": .string(uuid), "description": "The task's id"],
        "type": ["type": "string", "enum": ["import", "api_image_import", "location_import"], "description": "Its kind"],
        "status": [
            "type": "string", "description": "The status of the task",
            "enum": .array(ImageTask.Status.allCases.map { .string($0.rawValue) }),
        ],
        "owner": ["type": "string", "description": "The project that asked for it"],
        "image_id": ["type": "string", "description": "The image it is for"],
        "request_id": ["type": "string", "description": "The request that asked for it"],
        "user_id": ["type": "string", "description": "The user who asked for it"],
        "expires_at": ["type": ["null", "string"], "description": "When the task is removed"],
        "created_at": ["type": "string", "description": "When it was asked for"],
        "updated_at": ["type": "string", "description": "When its status last changed"],
        "self": readOnly(["type": "string"]),
        "schema": readOnly(["type": "string"]),
    ]

    private static let taskStub: JSONValue = ["name": "task", "properties": .object(taskStubProperties)]

    private static let task: JSONValue = [
        "name": "task",
        "properties": .object(
            taskStubProperties.merging([
                "input": ["type": ["null", "object"], "description": "The input of the task"],
                "result": ["type": ["null", "object"], "description": "The result of the task"],
                "message": ["type": "string", "description": "Why it failed"],
            ]) { stub, _ in stub }),
    ]

    private static func collection(of item: JSONValue, _ name: String) -> JSONValue {
        [
            "name": .string(name),
            "properties": [
                .init(name): ["type": "array", "items": item],
                "first": ["type": "string"], "next": ["type": "string"], "schema": ["type": "string"],
            ],
            "links": [
                ["rel": "first", "href": "{first}"], ["rel": "next", "href": "{next}"],
                ["rel": "describedby", "href": "{schema}"],
            ],
        ]
    }

    private static func optionalText(_ description: String, limit: Int64) -> JSONValue {
        ["type": ["null", "string"], "maxLength": .integer(limit), "description": .string(description)]
    }

    private static func choice(_ description: String, _ words: [String]) -> JSONValue {
        ["type": ["null", "string"], "enum": .array([.null] + words.map { .string($0) }), "description": .string(description)]
    }

    private static func readOnly(_ schema: JSONValue) -> JSONValue {
        var members = schema.members ?? [:]
        members["readOnly"] = true
        return .object(members)
    }
}

/// The discovery resources: schemas, and Glance's `/v2/info`.
enum DiscoveryRoutes {
    static func schema(_ request: Request, context: APIContext) throws -> Response {
        let name = context.part("name")
        guard let schema = SchemaDocuments.byName[name] else {
            let known = SchemaDocuments.byName.keys.sorted().joined(separator: ", ")
            throw APIError(.notFound, "There is no schema \(name.excerpt(64)); the schemas are \(known).")
        }
        return try schema.response()
    }

    /// No import method of Glance is supported: clients add a location or upload the bytes.
    static func importMethods(_ request: Request, context: APIContext) throws -> Response {
        let methods: JSONValue = ["type": "array", "description": "The ways to import an image", "value": []]
        return try JSONValue.object(["import-methods": methods]).response()
    }

    /// Glance's response for a service without several stores.
    static func stores(_ request: Request, context: APIContext) throws -> Response {
        throw APIError(.notFound, "This service has no stores: see the locations of an image.")
    }
}
