import Glibc
import ImageModel

extension FileMode {
    /// Takes from every file that the process makes from now on what this mode has not. A umask that takes more away stays.
    func limitProcess() {
        let inherited = Glibc.umask(umask)
        _ = Glibc.umask(inherited | umask)
    }
}
