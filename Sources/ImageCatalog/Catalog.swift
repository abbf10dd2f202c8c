/// The catalog: images, locations, the results of verifications, manifests, members, tasks and uploads. Code that needs one of
/// these takes its protocol, and code that needs several takes `any Catalog`.
package protocol Catalog: ImageStore, LocationStore, VerificationStore, ManifestStore, MemberStore, TaskStore, UploadStore {}
