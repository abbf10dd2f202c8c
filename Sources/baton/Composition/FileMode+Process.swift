import Glibc
import ImageModel

extension FileMode {
    /// Sets the umask so that files created from now on have at most this mode. A stricter umask is kept.
    func limitProcess() {
        let inherited = Glibc.umask(umask)
        _ = Glibc.umask(inherited | umask)
    }
}
