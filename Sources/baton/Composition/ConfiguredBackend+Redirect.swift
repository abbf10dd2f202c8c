import BatonConfig

extension ConfiguredBackend {
    /// Extends a driver's reader by `redirect`: whether trusted clients may be redirected to the backend.
    static func withRedirect(
        _ read: @escaping ConfigurationFile<ConfiguredBackend>.ReadBackend
    ) -> ConfigurationFile<ConfiguredBackend>.ReadBackend {
        { section, configuration in
            let redirects = section.settings.boolean("redirect", default: false)
            var backend = read(section, configuration)
            if redirects, backend?.driverName == "file" {
                section.settings.reject(
                    "redirect", "is for drivers whose objects have URLs; clients can't read this server's files")
            }
            backend?.redirects = redirects
            return backend
        }
    }
}
