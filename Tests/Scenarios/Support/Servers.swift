// Re-exports the modules that the scenarios share with `make chaos`.
@_exported import Servers
@_exported import Waiting
